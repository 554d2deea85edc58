import type { Positions } from '../graph/layout.ts';
import { plain, short } from '../parts/plain.ts';
import type { DrawnMap } from './collapse.ts';
import { labelOf, NODE_SIZE } from './drawn.ts';
import { looksOf } from './team-look.ts';

export interface Picture {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

const MARGIN = 24;
/** What Mantine's names of colours are on paper. */
const INK: Readonly<Record<string, string>> = {
  blue: '#1971c2',
  orange: '#d9480f',
  teal: '#087f5b',
  grape: '#862e9c',
  red: '#c92a2a',
  cyan: '#0b7285',
  lime: '#5c940d',
  pink: '#a61e4d',
  indigo: '#364fc7',
  yellow: '#e67700',
  gray: '#495057',
};
const MARK_INK = { added: '#087f5b', removed: '#c92a2a', changed: '#e67700' } as const;

/** The map that is drawn as one SVG file, with nothing in it that another file has. Pure. */
export function pictureOf(drawn: DrawnMap, positions: Positions): Picture {
  const points = [...positions.values()];
  const width = Math.max(0, ...points.map(({ x }) => x)) + NODE_SIZE.width + 2 * MARGIN;
  const height = Math.max(0, ...points.map(({ y }) => y)) + NODE_SIZE.height + 2 * MARGIN;
  const looks = looksOf(drawn.nodes.map(({ team }) => team));
  const at = (id: string) => {
    const { x, y } = positions.get(id) ?? { x: 0, y: 0 };
    return { x: x + MARGIN, y: y + MARGIN };
  };
  const teamOf = new Map(drawn.nodes.map(({ id, team }) => [id, team]));
  const links = drawn.links.map((link) => {
    const [from, to] = [at(link.from), at(link.to)];
    const [x1, y1] = [from.x + NODE_SIZE.width, from.y + NODE_SIZE.height / 2];
    const [x2, y2] = [to.x, to.y + NODE_SIZE.height / 2];
    const [mark] = link.marks;
    const ink =
      mark === undefined ? INK[looks.get(teamOf.get(link.from) ?? '')?.color ?? 'gray'] : MARK_INK[mark];
    const dash = mark === 'removed' ? ' stroke-dasharray="6 4"' : '';
    const path = `M${x1},${y1} C${x1 + 50},${y1} ${x2 - 50},${y2} ${x2},${y2}`;
    return `<path d="${path}" fill="none" stroke="${ink}" stroke-width="1.5"${dash} marker-end="url(#arrow)"/><text x="${(x1 + x2) / 2}" y="${(y1 + y2) / 2 - 4}" text-anchor="middle" font-size="11">${escaped(labelOf(link))}</text>`;
  });
  const boxes = drawn.nodes.map((node) => {
    const { x, y } = at(node.id);
    const look = looks.get(node.team);
    const lines = [
      `<text x="${x + 14}" y="${y + 22}" font-size="14" font-weight="600">${escaped(short(node.name, LONGEST))}</text>`,
      `<text x="${x + 14}" y="${y + 38}" font-size="11">${escaped(short(`${look?.initials} · ${node.kind === 'team' ? `${node.services.length} services` : node.team}`, LONGEST))}</text>`,
      `<text x="${x + 14}" y="${y + 53}" font-size="11">${escaped(short(node.stores.join(', ') || 'stores nothing', LONGEST))}</text>`,
    ];
    return `<rect x="${x}" y="${y}" width="${NODE_SIZE.width}" height="${NODE_SIZE.height}" rx="4" fill="#fff" stroke="${INK[look?.color ?? 'gray']}" stroke-width="2"/>${lines.join('')}`;
  });
  const arrow =
    '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path d="M0,0 L10,5 L0,10 z" fill="#495057"/></marker></defs>';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif"><rect width="100%" height="100%" fill="#fff"/>${arrow}${links.join('')}${boxes.join('')}</svg>`;
  return { svg, width, height };
}

/** The picture in dots, as many as a canvas can hold. */
export async function toPng({ svg, width, height }: Picture): Promise<Blob> {
  const image = new Image(width, height);
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  try {
    image.src = url;
    await image.decode();
    const scale = Math.min(2, MOST_DOTS / Math.max(width, height));
    const canvas = new OffscreenCanvas(Math.ceil(width * scale), Math.ceil(height * scale));
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await canvas.convertToBlob({ type: 'image/png' });
  } finally {
    URL.revokeObjectURL(url);
  }
}

const MOST_DOTS = 12_000;
const LONGEST = 24;

/** As text of XML. */
function escaped(text: string): string {
  return plain(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
