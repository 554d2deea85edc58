import type { api } from '@habeas/contract';
import { type Drawing, drawingOf } from './drawing.ts';
import { stampLines } from './stamp-lines.ts';

/** Mermaid draws nothing at all beyond 500 arrows (its `maxEdges`). */
const LIMITS = { nodes: 300, edges: 500 };

/** A flowchart for Markdown: services as boxes, grouped by team. Nodes are numbered, so that no name has a meaning. */
export function* mermaidOf(document: api.MapExport): Iterable<string> {
  const drawing = drawingOf(document.map, LIMITS);
  yield 'flowchart LR\n';
  // `%%{` would be a directive.
  for (const line of [
    ...stampLines(document.stamp),
    ...(drawing.notice === undefined ? [] : [drawing.notice]),
  ])
    yield `  %% ${line.replaceAll(/[{}]/g, ' ')}\n`;
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

/** Everything but letters, digits and a few marks without a meaning becomes an entity code (`#34;`). */
function label(text: string): string {
  if (text === '') return ' ';
  return text.replaceAll(/[^\p{L}\p{N} ,]/gu, (character) => `#${character.codePointAt(0)};`);
}
