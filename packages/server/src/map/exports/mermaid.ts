import type { api } from '@habeas/contract';
import { type Drawing, type DrawingLimits, drawingOf } from './drawing.ts';
import { stampLines } from './stamp-lines.ts';

/** Mermaid draws nothing at all beyond 500 arrows (its `maxEdges`) or so many characters (`maxTextSize`). */
const MAX_CHARACTERS = 50_000;
/** From all that it draws down to what fits even with names of 200 characters. */
const LIMITS: readonly DrawingLimits[] = [
  { nodes: 300, edges: 500 },
  { nodes: 100, edges: 150 },
  { nodes: 20, edges: 20 },
];

/** A flowchart for Markdown: services as boxes, grouped by team. Nodes are numbered, so that no name has a meaning. */
export function mermaidOf(document: api.MapExport): Iterable<string> {
  const tries = LIMITS.map((limits) => () => [...flowchart(document, drawingOf(document.map, limits))]);
  for (const draw of tries) {
    const lines = draw();
    if (lines.reduce((sum, { length }) => sum + length, 0) <= MAX_CHARACTERS) return lines;
  }
  return tries.at(-1)?.() ?? [];
}

function* flowchart({ stamp }: api.MapExport, drawing: Drawing): Iterable<string> {
  yield 'flowchart LR\n';
  const notes = [...stampLines(stamp), ...(drawing.notice === undefined ? [] : [drawing.notice])];
  // `%%{` would be a directive.
  for (const line of notes) yield `  %% ${line.replaceAll(/[{}]/g, ' ')}\n`;
  for (const [index, team] of drawing.teams.entries()) {
    yield `  subgraph t${index}["${label(team)}"]\n`;
    yield* boxes(drawing, team, '    ');
    yield '  end\n';
  }
  yield* boxes(drawing, null, '  ');
  for (const edge of drawing.edges) yield `  n${edge.from} -->|"${label(edge.label)}"| n${edge.to}\n`;
}

function* boxes(drawing: Drawing, team: string | null, indent: string): Iterable<string> {
  for (const [index, node] of drawing.nodes.entries()) {
    if (node.team !== team) continue;
    const detail = node.detail === '' ? '' : `<br/>${label(node.detail)}`;
    yield `${indent}n${index}["${label(node.label)}${detail}"]\n`;
  }
}

/**
 * Everything but letters, digits and a few marks becomes an entity code (`#34;`); a dash, dot or underscore stays inside a word,
 * where neither Mermaid nor Markdown sees more in it.
 */
function label(text: string): string {
  if (text === '') return ' ';
  return text.replaceAll(
    /(?<![\p{L}\p{N}])[-._]|[-._](?![\p{L}\p{N}])|[^\p{L}\p{N} ,._-]/gu,
    (character) => `#${character.codePointAt(0)};`,
  );
}
