import { middleOf, pathOf, waysAround } from '../graph/around.ts';
import type { Positions } from '../graph/layout.ts';
import { plain, short } from '../parts/plain.ts';
import { COLOR_OF } from '../theme/tones.ts';
import type { DrawnMap } from './collapse.ts';
import { labelOf, NODE_SIZE } from './drawn.ts';
import { PROGRESS, progressOfNode, type ServiceProgress } from './progress.ts';
import { looksOf, type Pattern } from './team-look.ts';

export interface Picture {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

export interface PictureOptions {
  /** Of the request whose progress is shown. (Default: none is) */
  readonly progress?: ReadonlyMap<string, ServiceProgress> | undefined;
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
  violet: '#5f3dc4',
  yellow: '#d9480f',
  gray: '#495057',
  house: '#154b8f',
};
const MARK_INK = { added: '#087f5b', removed: '#c92a2a', changed: '#d9480f' } as const;

/** The map that is drawn as one SVG file, with nothing in it that another file has. Pure. */
export function pictureOf(drawn: DrawnMap, positions: Positions, { progress }: PictureOptions = {}): Picture {
  const points = [...positions.values()];
  const width = Math.max(0, ...points.map(({ x }) => x)) + NODE_SIZE.width + 2 * MARGIN;
  const boxesEnd = Math.max(0, ...points.map(({ y }) => y)) + NODE_SIZE.height + MARGIN;
  const looks = looksOf(drawn.nodes.map(({ team }) => team));
  const at = (id: string) => {
    const { x, y } = positions.get(id) ?? { x: 0, y: 0 };
    return { x: x + MARGIN, y: y + MARGIN };
  };
  const ways = waysAround(
    drawn.nodes.map(({ id }) => ({ id, ...NODE_SIZE })),
    drawn.links,
    new Map(drawn.nodes.map(({ id }) => [id, at(id)])),
  );
  const teamOf = new Map(drawn.nodes.map(({ id, team }) => [id, team]));
  const waysEnd = [...ways.values()].flatMap((way) => way.map(({ y }) => y));
  const height = Math.max(boxesEnd, ...waysEnd) + MARGIN;
  const links = drawn.links.map((link, index) => {
    const [from, to] = [at(link.from), at(link.to)];
    const [x1, y1] = [from.x + NODE_SIZE.width, from.y + NODE_SIZE.height / 2];
    const [x2, y2] = [to.x, to.y + NODE_SIZE.height / 2];
    const [mark] = link.marks;
    const ink =
      mark === undefined ? INK[looks.get(teamOf.get(link.from) ?? '')?.color ?? 'gray'] : MARK_INK[mark];
    const dash = mark === 'removed' ? ' stroke-dasharray="6 4"' : '';
    const way = ways.get(index);
    const path =
      way === undefined ? `M${x1},${y1} C${x1 + 50},${y1} ${x2 - 50},${y2} ${x2},${y2}` : pathOf(way);
    const words = way === undefined ? { x: (x1 + x2) / 2, y: (y1 + y2) / 2 } : middleOf(way);
    return `<path d="${path}" fill="none" stroke="${ink}" stroke-width="1.5"${dash} marker-end="url(#arrow)"/><text x="${words.x}" y="${words.y - 4}" text-anchor="middle" font-size="11">${escaped(labelOf(link))}</text>`;
  });
  const boxes = drawn.nodes.map((node) => {
    const { x, y } = at(node.id);
    const look = looks.get(node.team);
    const state = progress && progressOfNode(node, progress);
    const third =
      state === undefined
        ? node.stores.join(', ') || 'stores nothing'
        : `${PROGRESS[state].sign} ${PROGRESS[state].words}`;
    const ink = INK[(state && COLOR_OF[PROGRESS[state].tone]) ?? look?.color ?? 'gray'] ?? INK['gray'];
    const lines = [
      `<text x="${x + 14}" y="${y + 22}" font-size="14" font-weight="600">${escaped(short(node.name, LONGEST))}</text>`,
      `<text x="${x + 14}" y="${y + 38}" font-size="11">${escaped(short(`${look?.initials} · ${node.kind === 'team' ? `${node.services.length} services` : node.team}`, LONGEST))}</text>`,
      `<text x="${x + 14}" y="${y + 53}" font-size="11">${escaped(short(third, LONGEST))}</text>`,
    ];
    return `<rect x="${x}" y="${y}" width="${NODE_SIZE.width}" height="${NODE_SIZE.height}" rx="4" fill="#fff" stroke="${ink}" stroke-width="1.5"/>${stripOf({ x, y, ink, pattern: look?.pattern })}${lines.join('')}`;
  });
  const arrow =
    '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path d="M0,0 L10,5 L0,10 z" fill="#495057"/></marker><pattern id="stripes" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="3" fill="#fff"/></pattern><pattern id="bars" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="2" fill="#fff"/></pattern><pattern id="dots" width="6" height="6" patternUnits="userSpaceOnUse"><circle cx="3" cy="3" r="1.8" fill="#fff"/></pattern></defs>';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif"><rect width="100%" height="100%" fill="#fff"/>${arrow}${links.join('')}${boxes.join('')}</svg>`;
  return { svg, width, height };
}

interface Strip {
  readonly x: number;
  readonly y: number;
  readonly ink: string | undefined;
  readonly pattern: Pattern | undefined;
}

/** Whose a box is: a colour at its side and, beyond ten teams, a pattern over it. */
function stripOf({ x, y, ink, pattern = 'solid' }: Strip): string {
  const strip = (fill: string | undefined) =>
    `<rect x="${x}" y="${y}" width="7" height="${NODE_SIZE.height}" fill="${fill}"/>`;
  return strip(ink) + (pattern === 'solid' ? '' : strip(`url(#${pattern})`));
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
