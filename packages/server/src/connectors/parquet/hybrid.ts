import { damaged } from './refusals.ts';

/** Small whole numbers: levels, or numbers of dictionary entries. */
export type Numbers = Uint8Array | Uint32Array;

/**
 * Parquet's hybrid of runs and bit-packed groups of eight (encoding RLE), without its length before it.
 * Source: https://github.com/apache/parquet-format/blob/master/Encodings.md
 */
export function readHybrid<Into extends Numbers>(bytes: Buffer, width: number, into: Into): Into {
  let at = 0;
  let done = 0;
  while (done < into.length) {
    const head = readVarint(bytes, at);
    at = head.end;
    if (head.value % 2 === 0) {
      const runs = Math.min(Math.floor(head.value / 2), into.length - done);
      const size = Math.ceil(width / 8);
      if (at + size > bytes.length || runs === 0) throw damaged('a run of a page ends too early');
      const value = size === 0 ? 0 : bytes.readUIntLE(at, size);
      into.fill(value, done, done + runs);
      at += size;
      done += runs;
    } else {
      const groups = Math.floor(head.value / 2);
      const end = at + groups * width;
      const count = Math.min(groups * 8, into.length - done);
      // Some writers leave out the padding of the last group.
      if (groups === 0 || at + Math.ceil((count * width) / 8) > bytes.length)
        throw damaged('a run of a page ends too early');
      unpack({ bytes, at, width, into, from: done, count });
      at = end;
      done += count;
    }
  }
  return into;
}

/** Whether all of the numbers are this one, told without reading them where one run says so. */
export function isOneRun(bytes: Buffer, width: number, count: number, number: number): boolean {
  const head = readVarint(bytes, 0);
  return (
    head.value % 2 === 0 &&
    head.value / 2 >= count &&
    head.end + Math.ceil(width / 8) <= bytes.length &&
    bytes.readUIntLE(head.end, Math.ceil(width / 8)) === number
  );
}

export function readVarint(bytes: Buffer, from: number): { readonly value: number; readonly end: number } {
  let value = 0;
  let factor = 1;
  for (let at = from; at < from + 5; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) throw damaged('a page ends too early');
    value += (byte & 127) * factor;
    if (byte < 128) return { value, end: at + 1 };
    factor *= 128;
  }
  throw damaged('a page has a length that is too large');
}

export interface Unpacking {
  readonly bytes: Buffer;
  readonly at: number;
  readonly width: number;
  readonly into: Numbers;
  readonly from: number;
  readonly count: number;
}

export function unpack({ bytes, at, width, into, from, count }: Unpacking): void {
  if (width > 24) {
    unpackWide({ bytes, at, width, into, from, count });
    return;
  }
  const mask = (1 << width) - 1;
  let held = 0;
  let bits = 0;
  let next = at;
  for (let index = from; index < from + count; index += 1) {
    while (bits < width) {
      held |= (bytes[next] as number) << bits;
      next += 1;
      bits += 8;
    }
    into[index] = held & mask;
    held >>>= width;
    bits -= width;
  }
}

function unpackWide({ bytes, at, width, into, from, count }: Unpacking): void {
  for (let index = 0; index < count; index += 1) {
    let value = 0;
    for (let bit = 0; bit < width; bit += 1) {
      const place = index * width + bit;
      if ((((bytes[at + (place >> 3)] as number) >> (place & 7)) & 1) === 1) value += 2 ** bit;
    }
    into[from + index] = value;
  }
}

/** How many groups a bit-packed run has at most, so that its head is one byte. */
const MOST_GROUPS = 63;

/** Writes numbers as runs where at least eight are the same, and bit-packed elsewhere. */
export function writeHybrid(numbers: Numbers, width: number): Buffer {
  const { length } = numbers;
  const out = Buffer.allocUnsafe(16 + Math.ceil(length / 8) * (width + 2) + Math.ceil(length / 8) * 4);
  let at = 0;
  for (let index = 0; index < length; ) {
    const same = sameFrom(numbers, index);
    if (same >= 8 || index + same === length) {
      at = writeRun(out, at, { value: numbers[index] as number, count: same, width });
      index += same;
      continue;
    }
    const from = index;
    let groups = 0;
    while (groups < MOST_GROUPS && index < length && !(groups > 0 && startsRun(numbers, index))) {
      index += 8;
      groups += 1;
    }
    out[at] = (groups << 1) | 1;
    at = pack(out, at + 1, { numbers, from, count: groups * 8, width });
  }
  return out.subarray(0, at);
}

/** All of `count` numbers are the same. */
export function writeOneRun(value: number, count: number, width: number): Buffer {
  const out = Buffer.allocUnsafe(9);
  return out.subarray(0, writeRun(out, 0, { value, count, width }));
}

function sameFrom(numbers: Numbers, from: number): number {
  const first = numbers[from];
  let end = from + 1;
  while (end < numbers.length && numbers[end] === first) end += 1;
  return end - from;
}

function startsRun(numbers: Numbers, from: number): boolean {
  if (from + 8 > numbers.length) return false;
  const first = numbers[from];
  for (let index = from + 1; index < from + 8; index += 1) if (numbers[index] !== first) return false;
  return true;
}

function writeRun(
  out: Buffer,
  from: number,
  { value, count, width }: { readonly value: number; readonly count: number; readonly width: number },
): number {
  let at = from;
  let rest = count * 2;
  for (; rest > 127; rest = Math.floor(rest / 128)) out[at++] = (rest % 128) | 128;
  out[at++] = rest;
  const size = Math.ceil(width / 8);
  if (size > 0) out.writeUIntLE(value, at, size);
  return at + size;
}

export function pack(
  out: Buffer,
  from: number,
  { numbers, from: first, count, width }: { numbers: Numbers; from: number; count: number; width: number },
): number {
  let at = from;
  let held = 0;
  let bits = 0;
  for (let index = first; index < first + count; index += 1) {
    let value = index < numbers.length ? (numbers[index] as number) : 0;
    let left = width;
    // 32 bits hold what is left of a byte and 16 more.
    for (; left > 16; left -= 16) {
      held |= (value & 0xffff) << bits;
      bits += 16;
      value = Math.floor(value / 65_536);
      for (; bits >= 8; bits -= 8) {
        out[at++] = held & 255;
        held >>>= 8;
      }
    }
    held |= value << bits;
    bits += left;
    for (; bits >= 8; bits -= 8) {
      out[at++] = held & 255;
      held >>>= 8;
    }
  }
  return at;
}
