import type { api } from '@habeas/contract';
import { type DrawnNode, drawingOf } from './drawing.ts';
import { stampLines } from './stamp-lines.ts';
import { TEAM_COLORS } from './team-colors.ts';

/** A digraph for Graphviz, one cluster for a team. Nodes are numbered, so that no name has a meaning. */
export function* dotOf(document: api.MapExport): Iterable<string> {
  const drawing = drawingOf(document.map);
  const notes = [...stampLines(document.stamp), ...(drawing.notice === undefined ? [] : [drawing.notice])];
  for (const line of notes) yield `// ${line.replaceAll('\\', '/')}\n`;
  yield 'digraph map {\n  rankdir=LR;\n  node [shape=box, style="rounded,filled", fillcolor=white, fontname="sans-serif"];\n';
  yield '  edge [fontname="sans-serif", fontsize=10, color="#475467"];\n';
  yield `  label=${quoted(notes.join('\n'))}; labelloc=b; labeljust=l; fontname="sans-serif"; fontsize=10;\n`;
  for (const [index, team] of drawing.teams.entries()) {
    const { fill, line } = TEAM_COLORS[index % TEAM_COLORS.length] ?? { fill: '#ffffff', line: '#000000' };
    yield `  subgraph cluster_${index} {\n    label=${quoted(team)}; style=filled; fillcolor="${fill}"; color="${line}";\n`;
    for (const [number, node] of drawing.nodes.entries())
      if (node.team === team) yield `    n${number} [label=${quoted(textOf(node))}];\n`;
    yield '  }\n';
  }
  for (const [number, node] of drawing.nodes.entries())
    if (node.team === null) yield `  n${number} [label=${quoted(textOf(node))}, style="rounded,dashed"];\n`;
  for (const edge of drawing.edges) yield `  n${edge.from} -> n${edge.to} [label=${quoted(edge.label)}];\n`;
  yield '}\n';
}

function textOf({ label, detail }: DrawnNode): string {
  return detail === '' ? label : `${label}\n${detail}`;
}

/** A quoted string of DOT whose label is this text: backslashes start escapes, and `&` starts an entity, even in quotes. */
function quoted(text: string): string {
  const escaped = text
    .replaceAll('&', '&amp;')
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\l');
  return `"${escaped}${text.includes('\n') ? '\\l' : ''}"`;
}
