import { readDelta, writeDelta } from './delta.ts';
import { readHybrid, writeHybrid } from './hybrid.ts';
import { PlainValues, plainValues } from './plain-values.ts';
import { damaged, unsupported } from './refusals.ts';
import type { Leaf } from './schema.ts';

/** Encodings of values, by their number in the format. */
export const ENCODING = {
  plain: 0,
  plainDictionary: 2,
  rle: 3,
  bitPacked: 4,
  deltaBinaryPacked: 5,
  deltaLengthByteArray: 6,
  deltaByteArray: 7,
  rleDictionary: 8,
  byteStreamSplit: 9,
} as const;

/** Reads `count` values. Throws a refusal for an encoding that is not known, and where there are fewer. */
export function readValues(
  encoding: number,
  bytes: Buffer,
  { count, leaf }: { count: number; leaf: Leaf },
): PlainValues {
  switch (encoding) {
    case ENCODING.plain:
      if (leaf.physical === 'BOOLEAN') return fixed(unpackBooleans(bytes, count), leaf);
      return leaf.physical === 'BYTE_ARRAY'
        ? new PlainValues([bytes], { count, width: 0 })
        : fixed(exactly(bytes, count * leaf.width), leaf);
    case ENCODING.rle:
      if (leaf.physical !== 'BOOLEAN') break;
      return fixed(asBytes(readHybrid(withoutLength(bytes), 1, new Uint8Array(count))), leaf);
    case ENCODING.deltaBinaryPacked:
      if (leaf.physical !== 'INT32' && leaf.physical !== 'INT64') break;
      return fixed(readDelta(bytes, count, leaf.physical === 'INT32' ? 4 : 8).data, leaf);
    case ENCODING.deltaLengthByteArray:
      if (leaf.physical !== 'BYTE_ARRAY') break;
      return readDeltaLengths(bytes, count);
    case ENCODING.deltaByteArray:
      if (leaf.physical !== 'BYTE_ARRAY' && leaf.physical !== 'FIXED_LEN_BYTE_ARRAY') break;
      return readDeltaStrings(bytes, count, leaf);
    case ENCODING.byteStreamSplit:
      if (leaf.width === 0 || leaf.physical === 'BOOLEAN') break;
      return fixed(joinStreams(exactly(bytes, count * leaf.width), leaf.width), leaf);
    default:
  }
  throw unsupported(`a page in an encoding that is not known (${encoding}) for its column`);
}

/** Writes values in an encoding in which they were read; the parts are to be put together. */
export function writeValues(encoding: number, values: PlainValues, leaf: Leaf): readonly Buffer[] {
  switch (encoding) {
    case ENCODING.plain:
      return leaf.physical === 'BOOLEAN' ? [packBooleans(values.data)] : values.parts;
    case ENCODING.rle:
      return [withLength(writeHybrid(values.data, 1))];
    case ENCODING.deltaBinaryPacked:
      return [writeDelta(values.data, leaf.physical === 'INT32' ? 4 : 8)];
    case ENCODING.deltaLengthByteArray:
      return [writeDeltaLengths(values)];
    case ENCODING.deltaByteArray:
      return [writeDeltaStrings(values)];
    case ENCODING.byteStreamSplit:
      return [splitStreams(values.data, leaf.width)];
    default:
      throw unsupported(`a page in an encoding that is not known (${encoding})`);
  }
}

export function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** What four bytes of length before it say. */
export function withoutLength(bytes: Buffer): Buffer {
  const length = bytes.length < 4 ? Number.POSITIVE_INFINITY : bytes.readUInt32LE(0);
  if (length > bytes.length - 4) throw damaged('a part of a page ends too early');
  return bytes.subarray(4, 4 + length);
}

function fixed(data: Buffer, { width }: Leaf): PlainValues {
  return new PlainValues([data], { count: width === 0 ? 0 : data.length / width, width });
}

function exactly(bytes: Buffer, length: number): Buffer {
  if (bytes.length < length) throw damaged('a page has fewer values than it says');
  return bytes.subarray(0, length);
}

function asBytes(array: Uint8Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

function unpackBooleans(bytes: Buffer, count: number): Buffer {
  exactly(bytes, Math.ceil(count / 8));
  const data = Buffer.allocUnsafe(count);
  for (let index = 0; index < count; index += 1)
    data[index] = ((bytes[index >> 3] as number) >> (index & 7)) & 1;
  return data;
}

function packBooleans(data: Buffer): Buffer {
  const bytes = Buffer.alloc(Math.ceil(data.length / 8));
  for (const [index, value] of data.entries())
    if (value === 1) bytes[index >> 3] = (bytes[index >> 3] as number) | (1 << (index & 7));
  return bytes;
}

function lengthsOf(bytes: Buffer, count: number): { readonly lengths: Int32Array; readonly rest: Buffer } {
  const { data, end } = readDelta(bytes, count, 4);
  const lengths = Int32Array.from({ length: count }, (_, index) => data.readInt32LE(index * 4));
  if (lengths.some((length) => length < 0)) throw damaged('a page has a value of negative length');
  return { lengths, rest: bytes.subarray(end) };
}

function readDeltaLengths(bytes: Buffer, count: number): PlainValues {
  const { lengths, rest } = lengthsOf(bytes, count);
  let at = 0;
  const items = Array.from(lengths, (length) => {
    at += length;
    return rest.subarray(at - length, at);
  });
  if (at > rest.length) throw damaged('a page has fewer values than it says');
  return plainValues(items, { width: 0 });
}

function itemsOf(values: PlainValues): Buffer[] {
  return Array.from({ length: values.count }, (_, index) => values.at(index));
}

function deltaLengths(items: readonly { readonly length: number }[]): Buffer {
  const lengths = Buffer.allocUnsafe(items.length * 4);
  for (const [index, item] of items.entries()) lengths.writeInt32LE(item.length, index * 4);
  return writeDelta(lengths, 4);
}

function writeDeltaLengths(values: PlainValues): Buffer {
  const items = itemsOf(values);
  return Buffer.concat([deltaLengths(items), ...items]);
}

function readDeltaStrings(bytes: Buffer, count: number, leaf: Leaf): PlainValues {
  const { lengths: prefixes, rest } = lengthsOf(bytes, count);
  const suffixes = readDeltaLengths(rest, count);
  let last = Buffer.alloc(0);
  const items = Array.from(prefixes, (prefix, index) => {
    if (prefix > last.length) throw damaged('a page has a value that begins as none before it');
    last = Buffer.concat([last.subarray(0, prefix), suffixes.at(index)]);
    if (leaf.width > 0 && last.length !== leaf.width) throw damaged('a page has a value of a wrong length');
    return last;
  });
  return plainValues(items, leaf);
}

function writeDeltaStrings(values: PlainValues): Buffer {
  const items = itemsOf(values);
  const prefixes = items.map((item, index) => samePrefix(items[index - 1], item));
  const suffixes = items.map((item, index) => item.subarray(prefixes[index]));
  return Buffer.concat([
    deltaLengths(prefixes.map((length) => ({ length }))),
    deltaLengths(suffixes),
    ...suffixes,
  ]);
}

function samePrefix(before: Buffer | undefined, item: Buffer): number {
  const most = Math.min(before?.length ?? 0, item.length);
  let same = 0;
  while (same < most && before?.[same] === item[same]) same += 1;
  return same;
}

function joinStreams(bytes: Buffer, width: number): Buffer {
  const count = bytes.length / width;
  const data = Buffer.allocUnsafe(bytes.length);
  for (let stream = 0; stream < width; stream += 1)
    for (let index = 0; index < count; index += 1)
      data[index * width + stream] = bytes[stream * count + index] as number;
  return data;
}

function splitStreams(data: Buffer, width: number): Buffer {
  const count = data.length / width;
  const bytes = Buffer.allocUnsafe(data.length);
  for (let stream = 0; stream < width; stream += 1)
    for (let index = 0; index < count; index += 1)
      bytes[stream * count + index] = data[index * width + stream] as number;
  return bytes;
}
