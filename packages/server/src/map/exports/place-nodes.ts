import { type Link, layersOf } from './layers.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Placement {
  /** The upper left corner of each node. */
  readonly corners: readonly Point[];
  /** For each link the points that it runs through from one node to the other; of a loop none. */
  readonly routes: readonly (readonly Point[])[];
  readonly width: number;
  readonly height: number;
}

export interface PlaceOptions {
  readonly sizes: readonly Size[];
  readonly links: readonly Link[];
  /** Space between columns. */
  readonly columnGap: number;
  /** Space between boxes above each other. */
  readonly rowGap: number;
}

/** A node, or the place in a column that a longer link runs through. */
interface Slot {
  readonly height: number;
  readonly before: Slot[];
  readonly after: Slot[];
  order: number;
  /** The middle. */
  y: number;
}

/** What a link takes in a column that it only runs through. */
const LANE = 14;
const SWEEPS = 8;

/**
 * Places boxes in columns so that links run from left to right with few crossings (Sugiyama's method: columns, then an order
 * in each column by the middle of the neighbours, then heights). The same input gives the same picture.
 */
export function placeNodes({ sizes, links, columnGap, rowGap }: PlaceOptions): Placement {
  const highest = Math.max(10, Math.ceil(Math.sqrt(sizes.length) * 1.5));
  const { layerOf, reversed } = layersOf(sizes.length, links, highest);
  const columns: Slot[][] = Array.from({ length: Math.max(0, ...layerOf) + 1 }, () => []);
  const add = (layer: number, height: number): Slot => {
    const slot: Slot = { height, before: [], after: [], order: 0, y: 0 };
    columns[layer]?.push(slot);
    return slot;
  };
  const slots = sizes.map((size, node) => add(layerOf[node] ?? 0, size.height));
  const chains = links.map((link, index) => {
    if (link.from === link.to) return [];
    const [tail, head] = reversed.has(index) ? [link.to, link.from] : [link.from, link.to];
    const chain: Slot[] = [];
    for (let layer = (layerOf[tail] ?? 0) + 1; layer < (layerOf[head] ?? 0); layer += 1)
      chain.push(add(layer, LANE));
    const all = [slots[tail], ...chain, slots[head]].filter((slot) => slot !== undefined);
    for (const [place, slot] of all.entries()) {
      const following = all[place + 1];
      if (following === undefined) continue;
      slot.after.push(following);
      following.before.push(slot);
    }
    return reversed.has(index) ? all.toReversed() : all;
  });
  for (const column of columns) renumber(column);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const side = sweep % 2 === 0 ? 'before' : 'after';
    for (const column of side === 'before' ? columns : columns.toReversed()) {
      column.sort(by((slot) => mean(slot[side].map(({ order }) => order)) ?? slot.order));
      renumber(column);
    }
  }
  for (const column of columns) settle(column, rowGap, (slot) => slot.order * (slot.height + rowGap));
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const side = sweep % 2 === 0 ? 'before' : 'after';
    for (const column of side === 'before' ? columns : columns.toReversed())
      settle(column, rowGap, (slot) => mean(slot[side].map(({ y }) => y)) ?? slot.y);
  }
  return measure({ sizes, slots, columns, chains, columnGap });
}

function measure(options: {
  readonly sizes: readonly Size[];
  readonly slots: readonly Slot[];
  readonly columns: readonly (readonly Slot[])[];
  readonly chains: readonly (readonly Slot[])[];
  readonly columnGap: number;
}): Placement {
  const { sizes, slots, columns, chains, columnGap } = options;
  const sizeOf = new Map(slots.map((slot, node) => [slot, sizes[node] ?? { width: 0, height: 0 }]));
  const all = columns.flat();
  const top = Math.min(0, ...all.map(({ y, height }) => y - height / 2));
  const left = new Map<Slot, number>();
  const widths = new Map<Slot, number>();
  let x = 0;
  for (const column of columns) {
    const width = Math.max(0, ...column.map((slot) => sizeOf.get(slot)?.width ?? 0));
    for (const slot of column) {
      left.set(slot, x);
      widths.set(slot, width);
    }
    x += width + columnGap;
  }
  const corner = (slot: Slot): Point => ({
    x: left.get(slot) ?? 0,
    y: slot.y - slot.height / 2 - top,
  });
  /** From the box to the edge of its column, level, so that no curve cuts through a wider box above or below. */
  const leave = (slot: Slot, other: Slot): readonly Point[] => {
    const [from, y] = [left.get(slot) ?? 0, slot.y - top];
    if ((left.get(other) ?? 0) < from) return [{ x: from, y }];
    const wide = widths.get(slot) ?? 0;
    return [sizeOf.get(slot)?.width ?? wide, wide].map((width) => ({ x: from + width, y }));
  };
  const routes = chains.map((chain) => {
    const points = chain.flatMap((slot, place) => {
      const [former, latter] = [chain[place - 1], chain[place + 1]];
      return [
        ...(former === undefined ? [] : leave(slot, former).toReversed()),
        ...(latter === undefined ? [] : leave(slot, latter)),
      ];
    });
    // A line of no length has no direction, and its arrow would point anywhere.
    return points.filter(({ x, y }, place) => x !== points[place - 1]?.x || y !== points[place - 1]?.y);
  });
  return {
    corners: slots.map(corner),
    routes,
    width: Math.max(0, x - columnGap),
    height: Math.max(0, ...all.map(({ y, height }) => y + height / 2)) - top,
  };
}

/**
 * Gives each slot of a column the height nearest to the wished one that keeps order and distance: pools of slots that push each
 * other share the mean of what they wish (pool adjacent violators, isotonic regression).
 */
function settle(column: readonly Slot[], rowGap: number, wish: (slot: Slot) => number): void {
  let offset = 0;
  const pools: { sum: number; slots: { slot: Slot; offset: number }[] }[] = [];
  for (const [place, slot] of column.entries()) {
    const former = column[place - 1];
    const gap = slot.height === LANE && former?.height === LANE ? 0 : rowGap;
    if (former !== undefined) offset += former.height / 2 + gap + slot.height / 2;
    pools.push({ sum: wish(slot) - offset, slots: [{ slot, offset }] });
    for (;;) {
      const [above, below] = [pools.at(-2), pools.at(-1)];
      if (above === undefined || below === undefined) break;
      if (above.sum / above.slots.length <= below.sum / below.slots.length) break;
      pools.pop();
      above.sum += below.sum;
      above.slots.push(...below.slots);
    }
  }
  for (const pool of pools)
    for (const { slot, offset: own } of pool.slots) slot.y = pool.sum / pool.slots.length + own;
}

function renumber(column: readonly Slot[]): void {
  for (const [order, slot] of column.entries()) slot.order = order;
}

/** Compares by a number that is made once for each slot; equal ones keep their order. */
function by(value: (slot: Slot) => number): (a: Slot, b: Slot) => number {
  const known = new Map<Slot, number>();
  const of = (slot: Slot): number => {
    const found = known.get(slot) ?? value(slot);
    known.set(slot, found);
    return found;
  };
  return (a, b) => of(a) - of(b);
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}
