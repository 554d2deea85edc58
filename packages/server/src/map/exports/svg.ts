import type { api } from '@habeas/contract';
import { type Drawing, type DrawnEdge, type DrawnNode, drawingOf } from './drawing.ts';
import { type Point, placeNodes, type Size } from './place-nodes.ts';
import { stampLines } from './stamp-lines.ts';
import { TEAM_COLORS } from './team-colors.ts';
import { xmlText } from './xml-text.ts';

const MARGIN = 24;
const LINE = 18;
/** What a character of the font takes at 13 pixels, on the safe side. */
const CHARACTER = 7.4;
const LONGEST = 34;
/** More arrows than this have their text as a tooltip only. */
const LABELLED_EDGES = 80;

/** The map as a picture that needs no browser to be made and no script or font to be shown; its text can be read aloud. */
export function* svgOf(document: api.MapExport): Iterable<string> {
  const drawing = drawingOf(document.map);
  const sizes = drawing.nodes.map(sizeOf);
  const labelled = drawing.edges.length <= LABELLED_EDGES;
  const columnGap = labelled
    ? 60 + 6.4 * Math.max(0, ...drawing.edges.map(({ label }) => shorten(label).length))
    : 90;
  const placement = placeNodes({ sizes, links: drawing.edges, columnGap, rowGap: 16 });
  const notes = [...stampLines(document.stamp), ...(drawing.notice === undefined ? [] : [drawing.notice])];
  const legend = legendOf(drawing);
  const top = MARGIN + legend.height + 12;
  const width = Math.ceil(
    2 * MARGIN + Math.max(placement.width, legend.width, ...notes.map(({ length }) => length * 6.2), 240),
  );
  const height = Math.ceil(top + placement.height + 20 + notes.length * 15 + MARGIN);
  const [title, ...rest] = notes;

  yield `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" style="max-width:100%;height:auto" role="img" aria-labelledby="title desc" font-family="system-ui, sans-serif" font-size="13">\n`;
  yield `<title id="title">${xmlText(title ?? '')}</title>\n`;
  yield `<desc id="desc">${xmlText(`${rest.join('. ')}.`)}</desc>\n`;
  yield '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0.5 8 4 0 7.5z" fill="#475467"/></marker></defs>\n';
  yield `<rect width="${width}" height="${height}" fill="#ffffff"/>\n`;
  yield* legend.lines;
  yield `<g transform="translate(${MARGIN} ${top})">\n`;
  const labels: string[] = [];
  for (const [index, edge] of drawing.edges.entries()) {
    const box = { corner: placement.corners[edge.from], size: sizes[edge.from] };
    const points = edge.from === edge.to ? loopOf(box) : apart(placement.routes[index] ?? []);
    yield edgeLine(edge, drawing, points);
    if (labelled) labels.push(edgeLabel(edge, points));
  }
  for (const [index, node] of drawing.nodes.entries())
    yield nodeBox(node, drawing, placement.corners[index], sizes[index]);
  yield* labels;
  yield '</g>\n';
  for (const [index, note] of notes.entries()) {
    const y = Math.round(top + placement.height + 32 + index * 15);
    yield `<text x="${MARGIN}" y="${y}" font-size="11" fill="#475467">${xmlText(note)}</text>\n`;
  }
  yield '</svg>\n';
}

function sizeOf(node: DrawnNode): Size {
  const lines = linesOf(node);
  // The name is bold.
  const longest = Math.max(...lines.map((line, index) => widthOf(line) * (index === 0 ? 1.15 : 1)));
  return { width: Math.round(longest * CHARACTER + 24), height: 14 + lines.length * LINE };
}

/** Service, team, what it stores. */
function linesOf(node: DrawnNode): readonly string[] {
  const team = node.team === null ? 'not declared' : node.team;
  return [node.label, team, ...(node.detail === '' ? [] : [node.detail])].map(shorten);
}

/** In characters of a Latin text; wide ones take two. */
function widthOf(text: string): number {
  return [...text].reduce((sum, character) => sum + (character > '\u10ff' ? 1.7 : 1), 0);
}

function shorten(text: string): string {
  const characters = [...text];
  return characters.length <= LONGEST ? text : `${characters.slice(0, LONGEST - 1).join('')}…`;
}

function colorsOf(team: string | null, drawing: Drawing) {
  const color = team === null ? undefined : TEAM_COLORS[drawing.teams.indexOf(team) % TEAM_COLORS.length];
  return color ?? { fill: '#ffffff', line: '#344054' };
}

function nodeBox(
  node: DrawnNode,
  drawing: Drawing,
  corner: Point | undefined,
  size: Size | undefined,
): string {
  if (corner === undefined || size === undefined) return '';
  const { fill, line } = colorsOf(node.team, drawing);
  const dashes = node.team === null ? ' stroke-dasharray="5 3"' : '';
  const about = [node.label, node.team === null ? 'not declared by any team' : `team ${node.team}`];
  if (node.detail !== '') about.push(`stores ${node.detail}`);
  const styles = [
    'font-weight="600" fill="#101828"',
    `font-size="11" fill="${line}"`,
    'font-size="12" fill="#344054"',
  ];
  const texts = linesOf(node).map(
    (text, index) => `<text x="12" y="${20 + index * LINE}" ${styles[index] ?? ''}>${xmlText(text)}</text>`,
  );
  return `<g transform="translate(${round(corner.x)} ${round(corner.y)})"><title>${xmlText(about.join(', '))}</title><rect width="${size.width}" height="${size.height}" rx="8" fill="${fill}" stroke="${line}"${dashes}/>${texts.join('')}</g>\n`;
}

function edgeLine(edge: DrawnEdge, drawing: Drawing, points: readonly Point[]): string {
  const [from, to] = [drawing.nodes[edge.from]?.label ?? '', drawing.nodes[edge.to]?.label ?? ''];
  const about = xmlText(`${from} sends ${edge.label} to ${to}`);
  return `<path d="${pathOf(points)}" fill="none" stroke="#667085" stroke-width="1.4" marker-end="url(#arrow)"><title>${about}</title></path>\n`;
}

function edgeLabel(edge: DrawnEdge, points: readonly Point[]): string {
  const lengths = points.map((point, place) => Math.abs((points[place + 1]?.x ?? point.x) - point.x));
  const place = lengths.indexOf(Math.max(...lengths));
  const [a, b] = [points[place], points[place + 1]];
  if (a === undefined || b === undefined) return '';
  const [x, y] = [round((a.x + b.x) / 2), round((a.y + b.y) / 2 - 4)];
  return `<text x="${x}" y="${y}" font-size="11" fill="#344054" text-anchor="middle" stroke="#ffffff" stroke-width="4" stroke-linejoin="round" paint-order="stroke">${xmlText(shorten(edge.label))}</text>\n`;
}

/** What runs back to the left runs a little lower, so that it does not lie on what runs to the right. */
function apart(points: readonly Point[]): readonly Point[] {
  const isBack = (points.at(-1)?.x ?? 0) < (points[0]?.x ?? 0);
  return isBack ? points.map(({ x, y }) => ({ x, y: y + 12 })) : points;
}

/** Curves that leave and enter each point level. */
function pathOf(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  let former = first;
  let path = `M${round(first.x)} ${round(first.y)}`;
  for (const point of rest) {
    const middle = round((former.x + point.x) / 2);
    path += `C${middle} ${round(former.y)} ${middle} ${round(point.y)} ${round(point.x)} ${round(point.y)}`;
    former = point;
  }
  return path;
}

/** A service that sends to itself. */
function loopOf(box: {
  readonly corner: Point | undefined;
  readonly size: Size | undefined;
}): readonly Point[] {
  if (box.corner === undefined || box.size === undefined) return [];
  const [right, top] = [box.corner.x + box.size.width, box.corner.y];
  return [
    { x: right, y: top + 8 },
    { x: right + 22, y: top + 15 },
    { x: right, y: top + 22 },
  ];
}

function legendOf(drawing: Drawing) {
  const lines: string[] = [];
  let x = MARGIN;
  let y = MARGIN;
  let width = 0;
  for (const team of drawing.teams) {
    const text = shorten(team);
    const wide = 24 + widthOf(text) * CHARACTER;
    if (x > MARGIN && x + wide > 1_000) {
      x = MARGIN;
      y += 22;
    }
    const { fill, line } = colorsOf(team, drawing);
    lines.push(
      `<rect x="${round(x)}" y="${y}" width="14" height="14" rx="3" fill="${fill}" stroke="${line}"/><text x="${round(x + 20)}" y="${y + 12}" font-size="12" fill="#344054">${xmlText(text)}</text>\n`,
    );
    x += wide + 12;
    width = Math.max(width, x - MARGIN);
  }
  return { lines, width, height: drawing.teams.length === 0 ? 0 : y - MARGIN + 22 };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
