import { isNaNValue, type Order, orderOf } from './order.ts';
import type { PlainValues } from './plain-values.ts';
import type { Leaf } from './schema.ts';
import { ThriftStruct } from './thrift.ts';

/** Fields of `Statistics` in parquet.thrift. */
const STATISTICS = { oldMax: 1, oldMin: 2, nulls: 3, max: 5, min: 6, isMaxExact: 7, isMinExact: 8 };

/** The least and the greatest of some values. */
export interface Bounds {
  readonly min: Buffer;
  readonly max: Buffer;
}

/** What the statistics of a column say of its least and greatest value; undefined where they say nothing that can be used. */
export function boundsOf(statistics: ThriftStruct | undefined, leaf: Leaf): Bounds | undefined {
  const min = statistics?.bytes(STATISTICS.min) ?? oldBound(statistics, STATISTICS.oldMin, leaf);
  const max = statistics?.bytes(STATISTICS.max) ?? oldBound(statistics, STATISTICS.oldMax, leaf);
  const isValid = (bytes: Buffer | undefined): bytes is Buffer =>
    bytes !== undefined && (leaf.width === 0 || bytes.length === leaf.width);
  return orderOf(leaf) !== undefined && isValid(min) && isValid(max) ? { min, max } : undefined;
}

/** The deprecated fields were compared with signs, whatever the type: they can be used for signed numbers only. */
function oldBound(statistics: ThriftStruct | undefined, field: number, leaf: Leaf): Buffer | undefined {
  const isNumber = leaf.physical !== 'BYTE_ARRAY' && leaf.physical !== 'FIXED_LEN_BYTE_ARRAY';
  return isNumber && leaf.meaning.kind !== 'unsigned' ? statistics?.bytes(field) : undefined;
}

/** Whether the bounds may have been made from this value: then they have to be found anew when it goes. */
export function mayBound(leaf: Leaf, { min, max }: Bounds, value: Buffer): boolean {
  const order = orderOf(leaf);
  if (order === undefined) return true;
  if (!(order(value, min) > 0 && order(value, max) < 0)) return true;
  if (leaf.physical !== 'BYTE_ARRAY' && leaf.physical !== 'FIXED_LEN_BYTE_ARRAY') return false;
  // A bound may be the beginning of a value, its last byte greater by one.
  const begins = (bound: Buffer, length: number) =>
    value.length > bound.length && value.subarray(0, length).equals(bound.subarray(0, length));
  return begins(min, min.length) || begins(max, Math.max(max.length - 1, 0));
}

/** Finds the least and the greatest of many values. */
export class BoundsFinder {
  #min: Buffer | undefined;
  #max: Buffer | undefined;
  readonly #leaf: Leaf;
  readonly #order: Order | undefined;

  constructor(leaf: Leaf) {
    this.#leaf = leaf;
    this.#order = orderOf(leaf);
  }

  add(value: Buffer): void {
    if (this.#order === undefined || isNaNValue(this.#leaf, value)) return;
    if (this.#min === undefined || this.#order(value, this.#min) < 0) this.#min = value;
    if (this.#max === undefined || this.#order(value, this.#max) > 0) this.#max = value;
  }

  addAll(values: PlainValues): void {
    for (let index = 0; index < values.count; index += 1) this.add(values.at(index));
  }

  /** Copies; undefined where there was no value that has a place in the order. */
  bounds(): Bounds | undefined {
    if (this.#min === undefined || this.#max === undefined) return undefined;
    return { min: withZeroSign(this.#leaf, this.#min, -1), max: withZeroSign(this.#leaf, this.#max, 1) };
  }
}

/** A least zero is written as -0 and a greatest as +0, since the two are equal (parquet.thrift, `ColumnOrder`). */
function withZeroSign({ physical }: Leaf, value: Buffer, sign: 1 | -1): Buffer {
  const bytes = Buffer.from(value);
  if (physical === 'DOUBLE' && bytes.readDoubleLE() === 0) bytes.writeDoubleLE(sign * 0);
  if (physical === 'FLOAT' && bytes.readFloatLE() === 0) bytes.writeFloatLE(sign * 0);
  return bytes;
}

/** Statistics after a change; without what is not known of the new values. Undefined where there were none. */
export function changedStatistics(
  statistics: ThriftStruct | undefined,
  {
    bounds,
    areFound,
    nullsGone,
  }: {
    /** Undefined: there are none to tell. */
    readonly bounds: Bounds | undefined;
    /** The bounds were found among the new values; otherwise they are those that the statistics have. */
    readonly areFound: boolean;
    readonly nullsGone: number;
  },
): ThriftStruct | undefined {
  if (statistics === undefined) return undefined;
  const changed = new ThriftStruct();
  const nulls = statistics.int(STATISTICS.nulls);
  if (nulls !== undefined) changed.set(STATISTICS.nulls, 'i64', nulls - nullsGone);
  if (bounds === undefined) return changed;
  if (statistics.has(STATISTICS.min) && statistics.has(STATISTICS.max)) {
    changed.set(STATISTICS.max, 'binary', bounds.max).set(STATISTICS.min, 'binary', bounds.min);
    for (const field of [STATISTICS.isMaxExact, STATISTICS.isMinExact]) {
      const exact = statistics.bool(field);
      if (exact !== undefined) changed.setBool(field, areFound || exact);
    }
  }
  return changed;
}
