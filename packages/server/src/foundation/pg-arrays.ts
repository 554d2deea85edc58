/**
 * Arrays in PostgreSQL's binary format (src/backend/utils/adt/arrayfuncs.c, array_recv): number of dimensions, whether there are nulls,
 * type of the elements, length, lower bound, then each element with its length. A parameter that is a `Buffer` is sent as it is, so
 * neither side spells out and reads a text; name the type where it is used: `${int4Array(keys)}::integer[]`.
 */
const HEADER_BYTES = 20;
const OID = { bool: 16, bytea: 17, int8: 20, int4: 23, text: 25, timestamptz: 1184 } as const;
const NULL_LENGTH = -1;

/** 2000-01-01, from which PostgreSQL counts, in milliseconds since 1970. */
const EPOCH_2000 = 946_684_800_000;

export function booleanArray(values: readonly boolean[]): Buffer {
  const { buffer, view } = begin(OID.bool, values.length, values.length * 5);
  for (const [index, value] of values.entries()) {
    const at = HEADER_BYTES + index * 5;
    view.setInt32(at, 1);
    buffer[at + 4] = Number(value);
  }
  return buffer;
}

export function int4Array(values: readonly number[]): Buffer {
  const { buffer, view } = begin(OID.int4, values.length, values.length * 8);
  for (const [index, value] of values.entries()) {
    const at = HEADER_BYTES + index * 8;
    view.setInt32(at, 4);
    view.setInt32(at + 4, value);
  }
  return buffer;
}

export function int8Array(values: readonly bigint[]): Buffer {
  return eightBytes(OID.int8, values);
}

/** `values` are milliseconds since 1970. */
export function timestamptzArray(values: readonly (number | null)[]): Buffer {
  return eightBytes(
    OID.timestamptz,
    values.map((value) => (value === null ? null : BigInt(value - EPOCH_2000) * 1_000n)),
  );
}

export function byteaArray(values: readonly (Uint8Array | null)[]): Buffer {
  return ofLengths(OID.bytea, values);
}

export function textArray(values: readonly (string | null)[]): Buffer {
  let size = 0;
  for (const value of values) size += 4 + (value === null ? 0 : Buffer.byteLength(value));
  const { buffer, view } = begin(OID.text, values.length, size, values.includes(null));
  let at = HEADER_BYTES;
  for (const value of values) {
    const written = value === null ? NULL_LENGTH : buffer.write(value, at + 4, 'utf8');
    view.setInt32(at, written);
    at += 4 + Math.max(0, written);
  }
  return buffer;
}

function eightBytes(type: number, values: readonly (bigint | null)[]): Buffer {
  const nulls = values.reduce((count, value) => count + Number(value === null), 0);
  const size = values.length * 12 - nulls * 8;
  const { buffer, view } = begin(type, values.length, size, nulls > 0);
  let at = HEADER_BYTES;
  for (const value of values) {
    view.setInt32(at, value === null ? NULL_LENGTH : 8);
    if (value !== null) view.setBigInt64(at + 4, value);
    at += value === null ? 4 : 12;
  }
  return buffer;
}

function ofLengths(type: number, values: readonly (Uint8Array | null)[]): Buffer {
  const size = values.reduce((sum, value) => sum + 4 + (value?.length ?? 0), 0);
  const { buffer, view } = begin(type, values.length, size, values.includes(null));
  let at = HEADER_BYTES;
  for (const value of values) {
    view.setInt32(at, value === null ? NULL_LENGTH : value.length);
    if (value !== null) buffer.set(value, at + 4);
    at += 4 + (value?.length ?? 0);
  }
  return buffer;
}

function begin(type: number, length: number, bytes: number, nulls = false) {
  // Out of the pool of Node: a memory of its own for each takes longer than all that is written into it, and every byte is.
  const buffer = Buffer.allocUnsafe((length === 0 ? 12 : HEADER_BYTES) + bytes);
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  view.setInt32(0, length === 0 ? 0 : 1);
  view.setInt32(4, nulls ? 1 : 0);
  view.setInt32(8, type);
  if (length > 0) {
    view.setInt32(12, length);
    view.setInt32(16, 1);
  }
  return { buffer, view };
}
