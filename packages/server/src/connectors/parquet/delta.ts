import { pack, unpack } from './hybrid.ts';
import { damaged } from './refusals.ts';

/**
 * Whole numbers as differences in bit-packed blocks (encoding DELTA_BINARY_PACKED).
 * Source: https://github.com/apache/parquet-format/blob/master/Encodings.md
 */
export interface DeltaNumbers {
  /** Little-endian, of `width` bytes each. */
  readonly data: Buffer;
  /** Where the block ends in the bytes that were read. */
  readonly end: number;
}

const BLOCK = 128;
const MINI_BLOCKS = 4;
const MINI_BLOCK = BLOCK / MINI_BLOCKS;

/** Reads `count` numbers of 4 or 8 bytes. Throws a refusal where there are others than so many. */
export function readDelta(bytes: Buffer, count: number, width: 4 | 8): DeltaNumbers {
  const reader = new VarintReader(bytes);
  const block = Number(reader.varint());
  const miniBlocks = Number(reader.varint());
  const total = Number(reader.varint());
  const perMini = block / miniBlocks;
  if (total !== count || !Number.isInteger(perMini) || perMini % 8 !== 0 || perMini < 8 || block > 1 << 24)
    throw damaged('a page of differences has another count than its header');
  const bits = width * 8;
  const data = Buffer.allocUnsafe(count * width);
  let value = reader.zigzag();
  const write = width === 4 ? writer32(data) : writer64(data);
  if (count > 0) write(0, value);
  for (let index = 1; index < count; ) {
    const least = reader.zigzag();
    const widths = reader.take(miniBlocks);
    for (const miniWidth of widths) {
      if (index >= count) break;
      if (miniWidth > 64) throw damaged('a page of differences has too wide a block');
      const many = Math.min(perMini, count - index);
      const packed = reader.takeSome((perMini * miniWidth) / 8, Math.ceil((many * miniWidth) / 8));
      if (miniWidth <= 32 && width === 4) {
        value = BigInt(addSmall({ packed, miniWidth, many, from: index, value, least, data }));
      } else {
        for (let offset = 0; offset < many; offset += 1) {
          value = BigInt.asIntN(bits, value + least + bitsAt(packed, offset * miniWidth, miniWidth));
          write(index + offset, value);
        }
      }
      index += many;
    }
  }
  return { data, end: reader.at };
}

interface Small {
  readonly packed: Buffer;
  readonly miniWidth: number;
  readonly many: number;
  readonly from: number;
  readonly value: bigint;
  readonly least: bigint;
  readonly data: Buffer;
}

/** Numbers of 32 bits, by the machine's own arithmetic; gives the last one. */
function addSmall({ packed, miniWidth, many, from, value, least, data }: Small): number {
  const deltas = new Uint32Array(many);
  unpack({ bytes: packed, at: 0, width: miniWidth, into: deltas, from: 0, count: many });
  let last = Number(BigInt.asIntN(32, value));
  const step = Number(BigInt.asIntN(32, least));
  for (let index = 0; index < many; index += 1) {
    last = (last + step + (deltas[index] as number)) | 0;
    data.writeInt32LE(last, (from + index) * 4);
  }
  return last;
}

function bitsAt(bytes: Buffer, from: number, width: number): bigint {
  let value = 0n;
  const first = from >> 3;
  const last = (from + width + 7) >> 3;
  for (let at = last - 1; at >= first; at -= 1) value = (value << 8n) | BigInt(bytes[at] as number);
  return BigInt.asUintN(width, value >> BigInt(from & 7));
}

function writer32(data: Buffer) {
  return (index: number, value: bigint) => data.writeInt32LE(Number(BigInt.asIntN(32, value)), index * 4);
}

function writer64(data: Buffer) {
  return (index: number, value: bigint) => data.writeBigInt64LE(BigInt.asIntN(64, value), index * 8);
}

class VarintReader {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.take(1)[0] as number;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw damaged('a page of differences has a number that is too large');
  }

  zigzag(): bigint {
    const value = this.varint();
    return (value >> 1n) ^ -(value & 1n);
  }

  take(length: number): Buffer {
    return this.takeSome(length, length);
  }

  /** The last block may lack its padding. */
  takeSome(length: number, needed: number): Buffer {
    if (this.at + needed > this.#bytes.length) throw damaged('a page of differences ends too early');
    const taken = this.#bytes.subarray(this.at, this.at + length);
    this.at = Math.min(this.at + length, this.#bytes.length);
    return taken;
  }
}

/** Writes numbers of 4 or 8 bytes, little-endian, as differences. */
export function writeDelta(data: Buffer, width: 4 | 8): Buffer {
  const count = data.length / width;
  const bits = width * 8;
  const read = (index: number) =>
    width === 4 ? BigInt(data.readInt32LE(index * 4)) : data.readBigInt64LE(index * 8);
  const parts: Buffer[] = [
    varint(BigInt(BLOCK)),
    varint(BigInt(MINI_BLOCKS)),
    varint(BigInt(count)),
    zigzag(count === 0 ? 0n : read(0)),
  ];
  for (let from = 1; from < count; from += BLOCK) {
    const many = Math.min(BLOCK, count - from);
    const deltas = Array.from({ length: many }, (_, index) =>
      BigInt.asIntN(bits, read(from + index) - read(from + index - 1)),
    );
    const [least = 0n] = [...deltas].sort(bySize);
    const over = deltas.map((delta) => BigInt.asUintN(bits, delta - least));
    const minis = Array.from({ length: MINI_BLOCKS }, (_, mini) =>
      over.slice(mini * MINI_BLOCK, (mini + 1) * MINI_BLOCK),
    );
    const widths = minis.map((mini) => widthOf(mini.reduce((bits, delta) => bits | delta, 0n)));
    parts.push(zigzag(least), Buffer.from(widths));
    for (const [index, mini] of minis.entries())
      if (mini.length > 0) parts.push(packBlock(mini, widths[index] as number));
  }
  return Buffer.concat(parts);
}

function bySize(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function widthOf(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

function packBlock(mini: readonly bigint[], width: number): Buffer {
  const out = Buffer.alloc((MINI_BLOCK * width) / 8);
  if (width <= 32) {
    pack(out, 0, { numbers: Uint32Array.from(mini, Number), from: 0, count: MINI_BLOCK, width });
    return out;
  }
  let held = 0n;
  for (const [index, delta] of mini.entries()) held |= delta << BigInt(index * width);
  for (let at = 0; at < out.length; at += 1) {
    out[at] = Number(held & 255n);
    held >>= 8n;
  }
  return out;
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

function zigzag(value: bigint): Buffer {
  return varint(BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)));
}
