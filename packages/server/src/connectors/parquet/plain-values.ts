import { damaged } from './refusals.ts';
import type { Leaf } from './schema.ts';

/** From `from` on and before `to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * Values as the encoding PLAIN has them, to which all others are turned: one after the other, those without a fixed width with four
 * bytes of length before each. Booleans take a byte each.
 */
export class PlainValues {
  readonly count: number;
  /** Bytes of each; 0: each has a length of its own. */
  readonly width: number;
  /** What they are made of, so that values that stay are not copied more often than once. */
  readonly parts: readonly Buffer[];
  #data: Buffer | undefined;
  #starts: Uint32Array | undefined;

  constructor(
    parts: readonly Buffer[],
    { count, width }: { readonly count: number; readonly width: number },
  ) {
    this.parts = parts;
    this.count = count;
    this.width = width;
  }

  get data(): Buffer {
    const [only] = this.parts;
    this.#data ??= this.parts.length === 1 && only !== undefined ? only : Buffer.concat(this.parts);
    return this.#data;
  }

  /** Where each begins, with its length, and the end. Of values without a fixed width. */
  get starts(): Uint32Array {
    if (this.#starts === undefined) {
      const starts = new Uint32Array(this.count + 1);
      walk(this.data, this.count, (index, at) => {
        starts[index] = at;
      });
      this.#starts = starts;
    }
    return this.#starts;
  }

  /** The bytes of one value, without its length. */
  at(index: number): Buffer {
    if (this.width > 0) return this.data.subarray(index * this.width, (index + 1) * this.width);
    return this.data.subarray((this.starts[index] as number) + 4, this.starts[index + 1]);
  }

  /** The values without those of these ranges, which are in order and do not touch. */
  without(ranges: readonly Range[]): PlainValues {
    const { data } = this;
    const edges = this.#placesOf(ranges.flatMap(({ from, to }) => [from, to]));
    const parts: Buffer[] = [];
    let count = this.count;
    let kept = 0;
    for (const [number, { from, to }] of ranges.entries()) {
      parts.push(data.subarray(kept, edges[number * 2]));
      kept = edges[number * 2 + 1] as number;
      count -= to - from;
    }
    parts.push(data.subarray(kept));
    return new PlainValues(
      parts.filter((part) => part.length > 0),
      { count, width: this.width },
    );
  }

  /** Where these values begin, which are in order. */
  #placesOf(indices: readonly number[]): readonly number[] {
    if (this.width > 0) return indices.map((index) => index * this.width);
    if (this.#starts !== undefined) return indices.map((index) => this.#starts?.[index] as number);
    return placesOf(this.data, this.count, indices);
  }
}

/** Values made of the bytes of each. */
export function plainValues(items: readonly Buffer[], { width }: Pick<Leaf, 'width'>): PlainValues {
  if (width > 0) return new PlainValues([Buffer.concat(items)], { count: items.length, width });
  const data = Buffer.allocUnsafe(items.reduce((sum, item) => sum + 4 + item.length, 0));
  let at = 0;
  for (const item of items) {
    at = data.writeUInt32LE(item.length, at);
    at += item.copy(data, at);
  }
  return new PlainValues([data], { count: items.length, width });
}

const TOO_FEW = 'a page has fewer values than it says';

/** Throws a refusal where the values end before there are so many. */
function walk(data: Buffer, count: number, tell: (index: number, at: number) => void): void {
  const { length } = data;
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    tell(index, at);
    if (at + 4 > length) throw damaged(TOO_FEW);
    at += 4 + lengthAt(data, at);
  }
  if (at > length) throw damaged(TOO_FEW);
  tell(count, at);
}

/** The same where few places are asked for. */
function placesOf(data: Buffer, count: number, indices: readonly number[]): readonly number[] {
  const { length } = data;
  const places: number[] = [];
  let next = indices[0] ?? count;
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    while (index === next) {
      places.push(at);
      next = indices[places.length] ?? count;
    }
    if (at + 4 > length) throw damaged(TOO_FEW);
    at += 4 + lengthAt(data, at);
  }
  if (at > length) throw damaged(TOO_FEW);
  while (places.length < indices.length) places.push(at);
  return places;
}

function lengthAt(data: Buffer, at: number): number {
  return (
    ((data[at] as number) |
      ((data[at + 1] as number) << 8) |
      ((data[at + 2] as number) << 16) |
      ((data[at + 3] as number) << 24)) >>>
    0
  );
}
