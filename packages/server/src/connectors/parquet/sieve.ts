import { isAscii } from 'node:buffer';
import type { RowSearch } from '../objects/row-search.ts';
import { orderOf } from './order.ts';
import { shownValue } from './physical.ts';
import type { PlainValues } from './plain-values.ts';
import type { Leaf } from './schema.ts';
import type { Bounds } from './statistics.ts';

/** Finds the values of a column that are looked for, without making a text of each. */
export interface Sieve {
  /** Which of the values are, in order, with their text as the search compares it. */
  find(values: PlainValues): readonly { readonly index: number; readonly text: string }[];
  /** Whether a value between these can be one that is looked for. */
  mayBeWithin(bounds: Bounds): boolean;
}

export function createSieve(search: RowSearch, column: number, leaf: Leaf): Sieve {
  const sought = search.values(column);
  const { match, spelling } = search.columns[column] ?? {};
  const mayBe = spelling === undefined ? filterOf(sought, leaf, match === 'case-insensitive') : everyValue;
  const textOf = (bytes: Buffer): string | undefined => {
    const text = search.textOf(column, shownValue(leaf, bytes));
    return text !== undefined && sought.has(text) ? text : undefined;
  };
  const isExact = match === 'exact' && spelling === undefined;
  const comparable = isExact ? comparableValues(sought, leaf) : undefined;
  return {
    find(values) {
      const found: { index: number; text: string }[] = [];
      mayBe(values, (index) => {
        const text = textOf(values.at(index));
        if (text !== undefined) found.push({ index, text });
      });
      return found;
    },
    mayBeWithin({ min, max }) {
      const order = orderOf(leaf);
      if (order === undefined || comparable === undefined) return true;
      return comparable.some((value) => order(value, min) >= 0 && order(value, max) <= 0);
    },
  };
}

/** Tells of every value that may be one of those that are looked for, and of few others. */
type Filter = (values: PlainValues, tell: (index: number) => void) => void;

function filterOf(sought: ReadonlySet<string>, leaf: Leaf, ignoresCase: boolean): Filter {
  if (leaf.physical === 'BYTE_ARRAY' && leaf.meaning.kind !== 'decimal')
    return textFilter(sought, ignoresCase);
  const isWhole = leaf.meaning.kind === 'plain' || leaf.meaning.kind === 'unsigned';
  if (isWhole && (leaf.physical === 'INT32' || leaf.physical === 'INT64'))
    return wholeFilter(sought, leaf.width);
  return everyValue;
}

const everyValue: Filter = ({ count }, tell) => {
  for (let index = 0; index < count; index += 1) tell(index);
};

const BITS = 1 << 16;

/** Letters beyond ASCII have several spellings of several lengths, so that texts with any are always told. */
function textFilter(sought: ReadonlySet<string>, ignoresCase: boolean): Filter {
  const folded = Uint8Array.from({ length: 256 }, (_, byte) =>
    ignoresCase && byte >= 65 && byte <= 90 ? byte + 32 : byte,
  );
  const lengths = new Set<number>();
  const hashes = new Uint8Array(BITS);
  for (const text of sought) {
    const bytes = Buffer.from(text);
    if (!isAscii(bytes)) continue;
    lengths.add(bytes.length);
    hashes[hashOf(bytes, 0, bytes.length, folded)] = 1;
  }
  return ({ data, count, starts }, tell) => {
    const areAscii = isAscii(data);
    for (let index = 0; index < count; index += 1) {
      const from = (starts[index] as number) + 4;
      const to = starts[index + 1] as number;
      const isLong = lengths.has(to - from);
      if (areAscii ? isLong && hashes[hashOf(data, from, to, folded)] === 1 : !isAsciiBetween(data, from, to))
        tell(index);
      else if (!areAscii && isLong && hashes[hashOf(data, from, to, folded)] === 1) tell(index);
    }
  };
}

function hashOf(bytes: Buffer, from: number, to: number, folded: Uint8Array): number {
  let hash = 0;
  for (let at = from; at < to; at += 1)
    hash = (Math.imul(hash, 31) + (folded[bytes[at] as number] as number)) | 0;
  return (hash ^ (hash >>> 16)) & (BITS - 1);
}

function isAsciiBetween(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if ((bytes[at] as number) > 127) return false;
  return true;
}

function wholeFilter(sought: ReadonlySet<string>, width: number): Filter {
  const low = new Uint8Array(BITS);
  for (const text of sought) if (/^-?\d+$/.test(text)) low[Number(BigInt.asUintN(16, BigInt(text)))] = 1;
  return ({ data, count }, tell) => {
    for (let index = 0, at = 0; index < count; index += 1, at += width)
      if (low[(data[at] as number) | ((data[at + 1] as number) << 8)] === 1) tell(index);
  };
}

/** What is looked for as the column has it; undefined where the same text can be written in several ways. */
function comparableValues(sought: ReadonlySet<string>, leaf: Leaf): readonly Buffer[] | undefined {
  const { physical, meaning, width } = leaf;
  if (physical === 'BYTE_ARRAY' && (meaning.kind === 'text' || meaning.kind === 'plain')) {
    // Of ASCII only these are what a letter elsewhere in Unicode is composed to (NFC): the Kelvin sign and three marks.
    const isPlain = [...sought].every((text) => isAscii(Buffer.from(text)) && !/[K;`]/.test(text));
    return isPlain ? [...sought].map((text) => Buffer.from(text)) : undefined;
  }
  const isWhole = meaning.kind === 'plain' || meaning.kind === 'unsigned';
  if (!isWhole || (physical !== 'INT32' && physical !== 'INT64')) return undefined;
  return [...sought].flatMap((text) => {
    if (!/^-?\d{1,20}$/.test(text)) return [];
    const number = BigInt(text);
    const bits = width * 8;
    const held = meaning.kind === 'unsigned' ? BigInt.asUintN(bits, number) : BigInt.asIntN(bits, number);
    if (held !== number) return [];
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, number));
    return [bytes.subarray(0, width)];
  });
}
