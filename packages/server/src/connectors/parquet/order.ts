import type { Leaf } from './schema.ts';

/** Which of two values of a column comes first: below, at or above 0. */
export type Order = (a: Buffer, b: Buffer) => number;

/**
 * The order in which a column's least and greatest values were found (`ColumnOrder` TYPE_ORDER in parquet.thrift); undefined where the
 * format has none, or none that is known here.
 */
export function orderOf({ physical, meaning }: Leaf): Order | undefined {
  switch (meaning.kind) {
    case 'no-order':
    case 'interval':
    case 'float16':
      return undefined;
    case 'decimal':
      if (physical === 'BYTE_ARRAY' || physical === 'FIXED_LEN_BYTE_ARRAY') return bySignedBytes;
      break;
    default:
  }
  const isUnsigned = meaning.kind === 'unsigned';
  switch (physical) {
    case 'BOOLEAN':
    case 'BYTE_ARRAY':
    case 'FIXED_LEN_BYTE_ARRAY':
      return (a, b) => a.compare(b);
    case 'INT32':
      return isUnsigned
        ? (a, b) => a.readUInt32LE() - b.readUInt32LE()
        : (a, b) => a.readInt32LE() - b.readInt32LE();
    case 'INT64':
      return isUnsigned
        ? (a, b) => bySize(a.readBigUInt64LE(), b.readBigUInt64LE())
        : (a, b) => bySize(a.readBigInt64LE(), b.readBigInt64LE());
    case 'FLOAT':
      return (a, b) => bySize(a.readFloatLE(), b.readFloatLE());
    case 'DOUBLE':
      return (a, b) => bySize(a.readDoubleLE(), b.readDoubleLE());
    case 'INT96':
      return undefined;
    default:
      return physical satisfies never;
  }
}

function bySize<Of extends bigint | number>(a: Of, b: Of): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Big-endian whole numbers of any length in two's complement. */
function bySignedBytes(a: Buffer, b: Buffer): number {
  const length = Math.max(a.length, b.length);
  const at = (bytes: Buffer, place: number): number => {
    const from = place - (length - bytes.length);
    if (from >= 0) return bytes[from] as number;
    return ((bytes[0] ?? 0) & 128) === 0 ? 0 : 255;
  };
  for (let place = 0; place < length; place += 1) {
    // The first byte has the sign.
    const flip = place === 0 ? 128 : 0;
    const difference = (at(a, place) ^ flip) - (at(b, place) ^ flip);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** A number that is none, which no order has a place for. */
export function isNaNValue({ physical }: Leaf, bytes: Buffer): boolean {
  if (physical === 'FLOAT') return Number.isNaN(bytes.readFloatLE());
  return physical === 'DOUBLE' && Number.isNaN(bytes.readDoubleLE());
}
