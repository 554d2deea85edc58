import { damaged } from './refusals.ts';

/**
 * Thrift's compact protocol, as far as Parquet's metadata needs it. Nothing is known here of what a field means, so that fields of newer
 * versions of the format are written again as they were read.
 * Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
export const TYPE = {
  true: 1,
  false: 2,
  i8: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
  uuid: 13,
} as const;

/** Doubles and UUIDs are kept as their bytes. Whole numbers that a number cannot hold are bigints. */
export type ThriftValue = boolean | number | bigint | Buffer | ThriftList | ThriftMap | ThriftStruct;

export interface ThriftList {
  /** Of the elements; see `TYPE`. */
  readonly of: number;
  readonly items: ThriftValue[];
}

interface ThriftMap {
  readonly keys: ThriftList;
  readonly values: ThriftList;
}

interface ThriftField {
  readonly type: number;
  readonly value: ThriftValue;
}

/** Fields by their number. What is asked for in another type than it has is damage. */
export class ThriftStruct {
  readonly fields = new Map<number, ThriftField>();

  has(id: number): boolean {
    return this.fields.has(id);
  }

  /** A whole number up to 2^53. */
  int(id: number): number | undefined {
    return this.#typed(id, (value) => typeof value === 'number');
  }

  bool(id: number): boolean | undefined {
    return this.#typed(id, (value) => typeof value === 'boolean');
  }

  bytes(id: number): Buffer | undefined {
    return this.#typed(id, (value) => Buffer.isBuffer(value));
  }

  struct(id: number): ThriftStruct | undefined {
    return this.#typed(id, (value) => value instanceof ThriftStruct);
  }

  /** The elements of a list of structs. */
  structs(id: number): ThriftStruct[] | undefined {
    const list = this.list(id);
    if (list === undefined) return undefined;
    if (!list.items.every((item) => item instanceof ThriftStruct)) throw damaged(NOT_AS_TYPED);
    return list.items as ThriftStruct[];
  }

  list(id: number): ThriftList | undefined {
    return this.#typed(
      id,
      (value): value is ThriftList => typeof value === 'object' && 'items' in value && 'of' in value,
    );
  }

  set(id: number, type: keyof typeof TYPE, value: ThriftValue): this {
    this.fields.set(id, { type: TYPE[type], value });
    return this;
  }

  setBool(id: number, value: boolean): this {
    return this.set(id, value ? 'true' : 'false', value);
  }

  delete(...ids: readonly number[]): this {
    for (const id of ids) this.fields.delete(id);
    return this;
  }

  /** A copy of this struct; what it holds is shared. */
  copy(): ThriftStruct {
    const copy = new ThriftStruct();
    for (const [id, field] of this.fields) copy.fields.set(id, field);
    return copy;
  }

  #typed<Value extends ThriftValue>(
    id: number,
    is: (value: ThriftValue) => value is Value,
  ): Value | undefined {
    const field = this.fields.get(id);
    if (field === undefined) return undefined;
    if (!is(field.value)) throw damaged(NOT_AS_TYPED);
    return field.value;
  }
}

const NOT_AS_TYPED = 'its metadata has a field of another type than the format says';
const ENDS_EARLY = 'its metadata ends too early';
const MOST_NESTED = 64;

/** A struct, and how many bytes of `bytes` it took. */
export function readThrift(bytes: Buffer): { readonly struct: ThriftStruct; readonly length: number } {
  const reader = new Reader(bytes);
  return { struct: reader.struct(0), length: reader.at };
}

class Reader {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  struct(depth: number): ThriftStruct {
    if (depth > MOST_NESTED) throw damaged('its metadata is nested too deep');
    const struct = new ThriftStruct();
    for (let id = 0; ; ) {
      const head = this.#byte();
      if (head === 0) return struct;
      const type = head & 15;
      id = head >> 4 === 0 ? Number(this.#zigzag()) : id + (head >> 4);
      const value = type === TYPE.true ? true : type === TYPE.false ? false : this.#value(type, depth);
      struct.fields.set(id, { type, value });
    }
  }

  #value(type: number, depth: number): ThriftValue {
    switch (type) {
      case TYPE.true:
      case TYPE.false:
        return this.#byte() === 1;
      case TYPE.i8:
        return (this.#byte() << 24) >> 24;
      case TYPE.i16:
      case TYPE.i32:
      case TYPE.i64:
        return this.#zigzag();
      case TYPE.double:
        return this.#take(8);
      case TYPE.uuid:
        return this.#take(16);
      case TYPE.binary:
        return this.#take(this.#varint());
      case TYPE.list:
      case TYPE.set: {
        const head = this.#byte();
        return this.#items(head & 15, head >> 4 === 15 ? this.#varint() : head >> 4, depth);
      }
      case TYPE.map:
        return this.#map(depth);
      case TYPE.struct:
        return this.struct(depth + 1);
      default:
        throw damaged('its metadata has a field of no known type');
    }
  }

  #items(of: number, count: number, depth: number): ThriftList {
    // An element takes a byte at least, so that a damaged count cannot ask for more memory than the file has.
    if (count > this.#bytes.length - this.at) throw damaged(ENDS_EARLY);
    if (depth > MOST_NESTED) throw damaged('its metadata is nested too deep');
    return { of, items: Array.from({ length: count }, () => this.#value(of, depth + 1)) };
  }

  #map(depth: number): ThriftMap {
    const count = this.#varint();
    const types = count === 0 ? 0 : this.#byte();
    const keys: ThriftList = { of: types >> 4, items: [] };
    const values: ThriftList = { of: types & 15, items: [] };
    for (let index = 0; index < count; index += 1) {
      keys.items.push(this.#value(keys.of, depth + 1));
      values.items.push(this.#value(values.of, depth + 1));
    }
    return { keys, values };
  }

  #byte(): number {
    const byte = this.#bytes[this.at];
    if (byte === undefined) throw damaged(ENDS_EARLY);
    this.at += 1;
    return byte;
  }

  #take(length: number): Buffer {
    if (length > this.#bytes.length - this.at) throw damaged(ENDS_EARLY);
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  #varint(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 49; factor *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw damaged('its metadata has a number that is too large');
  }

  #zigzag(): number | bigint {
    let low = 0;
    for (let factor = 1; factor < 2 ** 49; factor *= 128) {
      const byte = this.#byte();
      low += (byte & 127) * factor;
      if (byte < 128) return low % 2 === 0 ? low / 2 : -(low + 1) / 2;
    }
    let value = BigInt(low);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return small((value >> 1n) ^ -(value & 1n));
    }
    throw damaged('its metadata has a number that is too large');
  }
}

function small(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** The bytes of a struct. */
export function writeThrift(struct: ThriftStruct): Buffer {
  const writer = new Writer();
  writer.struct(struct);
  return writer.bytes();
}

class Writer {
  #buffer = Buffer.allocUnsafe(1024);
  #at = 0;

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  struct(struct: ThriftStruct): void {
    let last = 0;
    for (const [id, { type, value }] of [...struct.fields].sort(([a], [b]) => a - b)) {
      const delta = id - last;
      const head = delta > 0 && delta < 16 ? delta << 4 : 0;
      this.#byte(head | type);
      if (head === 0) this.#zigzag(id);
      last = id;
      if (type !== TYPE.true && type !== TYPE.false) this.#value(type, value);
    }
    this.#byte(0);
  }

  #value(type: number, value: ThriftValue): void {
    if (value instanceof ThriftStruct) this.struct(value);
    else if (Buffer.isBuffer(value)) this.#binary(type, value);
    else if (typeof value === 'boolean') this.#byte(value ? 1 : 2);
    else if (typeof value !== 'object') this.#number(type, value);
    else if ('items' in value) this.#list(value);
    else this.#map(value);
  }

  #number(type: number, value: number | bigint): void {
    if (type === TYPE.i8) this.#byte(Number(value) & 255);
    else this.#zigzag(value);
  }

  #binary(type: number, value: Buffer): void {
    if (type === TYPE.binary) this.#varint(value.length);
    this.#room(value.length);
    value.copy(this.#buffer, this.#at);
    this.#at += value.length;
  }

  #list({ of, items }: ThriftList): void {
    this.#byte((Math.min(items.length, 15) << 4) | of);
    if (items.length >= 15) this.#varint(items.length);
    for (const item of items) this.#value(of, item);
  }

  #map({ keys, values }: ThriftMap): void {
    this.#varint(keys.items.length);
    if (keys.items.length > 0) this.#byte((keys.of << 4) | values.of);
    for (const [index, key] of keys.items.entries()) {
      this.#value(keys.of, key);
      this.#value(values.of, values.items[index] as ThriftValue);
    }
  }

  #zigzag(given: number | bigint): void {
    const value = Math.abs(Number(given)) < 2 ** 48 ? Number(given) : BigInt(given);
    if (typeof value === 'number') {
      this.#varint(value >= 0 ? value * 2 : -value * 2 - 1);
      return;
    }
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    for (; rest > 127n; rest >>= 7n) this.#byte(Number(rest & 127n) | 128);
    this.#byte(Number(rest));
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.#byte((rest % 128) | 128);
    this.#byte(rest);
  }

  #byte(byte: number): void {
    this.#room(1);
    this.#buffer[this.#at] = byte;
    this.#at += 1;
  }

  #room(length: number): void {
    if (this.#at + length <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + length));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}
