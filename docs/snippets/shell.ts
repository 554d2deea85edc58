/** One command of a shell snippet. */
export interface ShellCommand {
  /** Line in the snippet on which it begins, from 1. */
  readonly line: number;
  /** Its words without quotes; `$NAME` stays as it stands, `$(…)` becomes `$()`. Assignments before the command are left out. */
  readonly words: readonly string[];
}

/**
 * The commands of a shell text, also those in `$(…)`: enough of the grammar for what stands in documentation. Throws for an open quote
 * and for a here-document.
 */
export function readCommands(text: string, firstLine = 1): readonly ShellCommand[] {
  const commands: ShellCommand[] = [];
  let words: string[] = [];
  let word: string | undefined;
  let line = firstLine;
  let begun = line;
  let skipsTarget = false;
  const endWord = () => {
    if (word === undefined) return;
    const isAssignment = words.length === 0 && /^[A-Za-z_]\w*=/.test(word);
    if (words.length === 0) begun = line;
    if (!skipsTarget && !isAssignment) words.push(word);
    skipsTarget = false;
    word = undefined;
  };
  const endCommand = () => {
    endWord();
    if (words.length > 0) commands.push({ line: begun, words });
    words = [];
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '\\' && text[at + 1] === '\n') {
      line += 1;
      at += 1;
    } else if (character === '\\') {
      word = (word ?? '') + (text[at + 1] ?? '');
      at += 1;
    } else if (character === "'") {
      const end = text.indexOf("'", at + 1);
      if (end === -1) throw new Error(`line ${line}: a quote is not closed`);
      const quoted = text.slice(at + 1, end);
      word = (word ?? '') + quoted;
      line += quoted.split('\n').length - 1;
      at = end;
    } else if (character === '"' || (character === '$' && text[at + 1] === '(')) {
      const part = character === '"' ? readQuoted(text, at, line) : readSubstitution(text, at, line);
      commands.push(...part.commands);
      word = (word ?? '') + part.text;
      line += text.slice(at, part.end).split('\n').length - 1;
      at = part.end - 1;
    } else if (character === '#' && word === undefined) {
      while (at + 1 < text.length && text[at + 1] !== '\n') at += 1;
    } else if (character === '\n' || character === ';' || character === '|' || character === '&') {
      endCommand();
      if (character === '\n') line += 1;
    } else if (character === '>' || character === '<') {
      if (text.startsWith('<<', at)) throw new Error(`line ${line}: here-documents are not read`);
      if (word !== undefined && /^\d$/.test(word)) word = undefined;
      endWord();
      if (text[at + 1] === '>') at += 1;
      skipsTarget = true;
    } else if (/\s/.test(character)) endWord();
    else word = (word ?? '') + character;
  }
  endCommand();
  return commands;
}

interface Part {
  readonly text: string;
  readonly commands: readonly ShellCommand[];
  /** Where the text goes on after it. */
  readonly end: number;
}

function readQuoted(text: string, start: number, line: number): Part {
  let read = '';
  const commands: ShellCommand[] = [];
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '"') return { text: read, commands, end: at + 1 };
    if (character === '\\' && /["\\$`]/.test(text[at + 1] ?? '')) {
      read += text[at + 1];
      at += 1;
    } else if (character === '$' && text[at + 1] === '(') {
      const part = readSubstitution(text, at, line);
      commands.push(...part.commands);
      read += part.text;
      at = part.end - 1;
    } else read += character;
  }
  throw new Error(`line ${line}: a quote is not closed`);
}

function readSubstitution(text: string, start: number, line: number): Part {
  let depth = 0;
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1;
    if (text[at] === ')') depth -= 1;
    if (depth === 0) {
      return { text: '$()', commands: readCommands(text.slice(start + 2, at), line), end: at + 1 };
    }
  }
  throw new Error(`line ${line}: $( is not closed`);
}
