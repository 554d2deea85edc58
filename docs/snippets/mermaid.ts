/** What one line of a flowchart may be, after its labels and quotes are taken away. */
const NODE = String.raw`[\w-]+(?:\[\]|\(\)|\(\(\)\)|\{\}|\[\(\)\]|\(\[\]\)|\[\[\]\]|>\])?`;
const NODES = String.raw`${NODE}(?:\s*&\s*${NODE})*`;
const ARROW = String.raw`(?:<?(?:--+>?|==+>?|-\.+->?|--\s*L\s*-->?|==\s*L\s*==>?|-\.\s*L\s*\.->?)(?:\|L\|)?)`;
const FLOW = new RegExp(String.raw`^${NODES}(?:\s*${ARROW}\s*${NODES})*;?$`);
const STATE = /^(?:\[\*\]|\w+)\s*-->\s*(?:\[\*\]|\w+)(?:\s*:\s*.+)?$/;
const STATE_OTHER = /^(?:direction (?:TB|LR|RL|BT)|state \w+( \{)?|\}|\w+\s*:\s*.+|note .+|end note)$/;
const SEQUENCE =
  /^(?:(?:participant|actor) .+|\w+\s*-{1,2}[>x)]{1,2}[+-]?\s*\w+\s*:\s*.+|(?:note|loop|alt|else|opt|par|and|rect|end|activate|deactivate|autonumber)\b.*)$/i;

/** What is wrong with a diagram, one line each, as far as its form goes: kinds flowchart, stateDiagram-v2 and sequenceDiagram. */
export function mermaidProblems(text: string): readonly string[] {
  const lines = text.split('\n').map((line, index) => ({ text: line.trim(), number: index + 1 }));
  const [first, ...rest] = lines.filter((line) => line.text !== '' && !line.text.startsWith('%%'));
  if (first === undefined) return ['the diagram is empty'];
  const fits = ruleFor(first.text);
  if (fits === undefined)
    return [`line ${first.number}: "${first.text}" is no kind of diagram that is known here`];
  if (rest.length === 0) return ['the diagram has no content'];
  return rest
    .filter((line) => !fits(line.text))
    .map((line) => `line ${line.number}: "${line.text}" cannot be read`);
}

function ruleFor(kind: string): ((line: string) => boolean) | undefined {
  if (/^(?:flowchart|graph) (?:LR|RL|TD|TB|BT)$/.test(kind)) return isFlowLine;
  if (kind === 'stateDiagram-v2') return (line) => STATE.test(line) || STATE_OTHER.test(line);
  if (kind === 'sequenceDiagram') return (line) => SEQUENCE.test(line);
  return undefined;
}

function isFlowLine(line: string): boolean {
  if (
    /^(?:subgraph .+|end|direction (?:TB|LR|RL|TD|BT)|classDef .+|class .+|style .+|linkStyle .+)$/.test(line)
  )
    return true;
  const isQuoted = line.split('"').length % 2 === 1;
  return isQuoted && FLOW.test(withoutLabels(line));
}

/** Labels become empty brackets, `|L|` and `-- L -->`, so that only the form is left; an open quote or bracket stays and does not fit. */
function withoutLabels(line: string): string {
  const unquoted = line.replace(/"[^"]*"/g, 'Q').replace(/\|[^|]*\|/g, '|L|');
  const bare = unquoted.replace(
    /(\[\(|\(\(|\(\[|\[\[|[[({])([^[\](){}|]*)(\)\]|\)\)|\]\)|\]\]|[\])}])/g,
    (_, open: string, __: string, close: string) => `${open}${close}`,
  );
  return bare
    .replace(/--(?![->])\s*([^->|]+?)\s*-->/g, '-- L -->')
    .replace(/==(?![=>])\s*([^=>|]+?)\s*==>/g, '== L ==>')
    .replace(/-\.\s*([^.>|-][^.>|]*?)\s*\.->/g, '-. L .->');
}
