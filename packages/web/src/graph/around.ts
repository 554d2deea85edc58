import type { LayoutEdge, LayoutNode, Point, Positions } from './layout.ts';

/** A way from the right side of a box back to the left side of one that is not to the right of it. */
export type Way = readonly Point[];

/** Between the boxes and the first way around them. */
const CLEAR = 22;
/** Between two ways, unless there are so many that they would go far away. */
const APART = 14;
const MOST_DEPTH = 240;
/** How far beside a box a way goes down and up; boxes stand 130 apart. */
const BESIDE = 16;
const MOST_BESIDE = 60;

/**
 * The links that lead back, against the direction of the picture, each with a way below all boxes that it passes: a straight
 * one would go behind them. By the index of the link. Pure.
 */
export function waysAround(
  nodes: readonly LayoutNode[],
  edges: readonly LayoutEdge[],
  positions: Positions,
): ReadonlyMap<number, Way> {
  const boxes = new Map(
    nodes.flatMap((node) => {
      const position = positions.get(node.id);
      return position === undefined ? [] : [[node.id, { ...node, ...position }] as const];
    }),
  );
  const back = edges.flatMap(({ from, to }, index) => {
    const [source, target] = [boxes.get(from), boxes.get(to)];
    if (source === undefined || target === undefined || target.x > source.x) return [];
    return [{ index, source, target }];
  });
  // The widest go outermost, so that they cross fewer of the others.
  const ordered = back.toSorted(
    (one, other) =>
      one.source.x - one.target.x - (other.source.x - other.target.x) || one.index - other.index,
  );
  const apart = Math.min(APART, MOST_DEPTH / Math.max(1, ordered.length));
  const besides = Math.min(4, MOST_BESIDE / Math.max(1, ordered.length));
  return new Map(
    ordered.map(({ index, source, target }, lane) => {
      const right = source.x + source.width;
      const passed = [...boxes.values()].filter(({ x, width }) => x < right && x + width > target.x);
      const floor = Math.max(...passed.map(({ y, height }) => y + height)) + CLEAR + lane * apart;
      const [out, into] = [right + BESIDE + lane * besides, target.x - BESIDE - lane * besides];
      const [from, to] = [source.y + source.height / 2, target.y + target.height / 2];
      return [
        index,
        [
          { x: right, y: from },
          { x: out, y: from },
          { x: out, y: floor },
          { x: into, y: floor },
          { x: into, y: to },
          { x: target.x, y: to },
        ],
      ];
    }),
  );
}

const RADIUS = 8;

/** A way as a path of SVG, its corners rounded. */
export function pathOf(way: Way): string {
  const [start, ...rest] = way;
  if (start === undefined) return '';
  const parts = rest.map((point, index) => {
    const [before, after] = [way[index], rest[index + 1]];
    if (before === undefined || after === undefined) return `L${point.x},${point.y}`;
    const [near, far] = [toward(point, before), toward(point, after)];
    return `L${near.x},${near.y} Q${point.x},${point.y} ${far.x},${far.y}`;
  });
  return `M${start.x},${start.y} ${parts.join(' ')}`;
}

/** Where its words stand: in the middle of the long part. */
export function middleOf(way: Way): Point {
  const [, , one, other] = way;
  if (one === undefined || other === undefined) return { x: 0, y: 0 };
  return { x: (one.x + other.x) / 2, y: one.y };
}

function toward(point: Point, other: Point): Point {
  const [dx, dy] = [other.x - point.x, other.y - point.y];
  const length = Math.hypot(dx, dy);
  const share = length === 0 ? 0 : Math.min(RADIUS, length / 2) / length;
  return { x: point.x + dx * share, y: point.y + dy * share };
}
