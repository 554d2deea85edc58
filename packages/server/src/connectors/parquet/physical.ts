import { isUtf8 } from 'node:buffer';
import type { Leaf, Meaning } from './schema.ts';

/**
 * A value as a reader of the row sees it: numbers and booleans as such, whole numbers of 64 bits as bigints, everything else as text.
 * Bytes that are no text are written in hexadecimal. Days are `2026-11-30`, moments `2026-11-30T10:00:00.000Z` (with as many digits as the column has), decimals have all their digits.
 */
export function shownValue(
  { physical, meaning }: Pick<Leaf, 'physical' | 'meaning'>,
  bytes: Buffer,
): unknown {
  switch (physical) {
    case 'BOOLEAN':
      return bytes[0] === 1;
    case 'INT32':
      return meaning.kind === 'unsigned'
        ? bytes.readUInt32LE()
        : wholeOf(meaning, BigInt(bytes.readInt32LE()), Number);
    case 'INT64':
      return meaning.kind === 'unsigned'
        ? bytes.readBigUInt64LE()
        : wholeOf(meaning, bytes.readBigInt64LE(), (n) => n);
    case 'INT96':
      return momentText(
        (BigInt(bytes.readUInt32LE(8)) - 2_440_588n) * 86_400_000_000_000n + bytes.readBigInt64LE(),
        1_000_000_000,
      );
    case 'FLOAT':
      return bytes.readFloatLE();
    case 'DOUBLE':
      return bytes.readDoubleLE();
    case 'BYTE_ARRAY':
      return meaning.kind === 'decimal' ? decimalText(signedOf(bytes), meaning.scale) : textOf(bytes);
    case 'FIXED_LEN_BYTE_ARRAY':
      return fixedOf(meaning, bytes);
    default:
      return physical satisfies never;
  }
}

function fixedOf(meaning: Meaning, bytes: Buffer): unknown {
  if (meaning.kind === 'decimal') return decimalText(signedOf(bytes), meaning.scale);
  if (meaning.kind === 'uuid')
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return meaning.kind === 'text' ? textOf(bytes) : bytes.toString('hex');
}

/** Many writers do not say which bytes are text. */
function textOf(bytes: Buffer): string {
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'hex');
}

function wholeOf(meaning: Meaning, value: bigint, plain: (value: bigint) => number | bigint): unknown {
  switch (meaning.kind) {
    case 'decimal':
      return decimalText(value, meaning.scale);
    case 'date':
      return momentText(value * 86_400_000n, 1_000).slice(0, -'T00:00:00.000Z'.length);
    case 'timestamp':
      return momentText(value, meaning.perSecond);
    case 'time':
      return momentText(value, meaning.perSecond).slice('1970-01-01T'.length, -1);
    default:
      return plain(value);
  }
}

function signedOf(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`));
}

function decimalText(value: bigint, scale: number): string {
  if (scale <= 0) return String(value);
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function momentText(value: bigint, perSecond: number): string {
  const unit = BigInt(perSecond);
  const rest = ((value % unit) + unit) % unit;
  const seconds = Number((value - rest) / unit);
  const date = new Date(seconds * 1_000);
  // Years that the calendar of ECMAScript does not have.
  if (Number.isNaN(date.getTime())) return `${value}/${perSecond}`;
  return `${date.toISOString().slice(0, -'.000Z'.length)}.${String(rest).padStart(perSecond === 1_000 ? 3 : perSecond === 1_000_000 ? 6 : 9, '0')}Z`;
}

/** The bytes of a value that a mask gives; undefined where a column of this type cannot have it. */
export function physicalOf({ physical, meaning, width }: Leaf, text: string): Buffer | undefined {
  const isPlain = meaning.kind === 'plain' || meaning.kind === 'unsigned';
  switch (physical) {
    case 'BYTE_ARRAY':
      return isPlain || meaning.kind === 'text' ? Buffer.from(text) : undefined;
    case 'FIXED_LEN_BYTE_ARRAY':
      if (meaning.kind !== 'uuid') return undefined;
      return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text)
        ? Buffer.from(text.replaceAll('-', ''), 'hex')
        : undefined;
    case 'BOOLEAN':
      return text === 'true' || text === 'false' ? Buffer.from([text === 'true' ? 1 : 0]) : undefined;
    case 'INT32':
    case 'INT64':
      return isPlain && /^-?\d{1,20}$/.test(text)
        ? wholeBytes(BigInt(text), width, meaning.kind === 'unsigned')
        : undefined;
    case 'FLOAT':
    case 'DOUBLE':
      return /^-?\d+(\.\d+)?(e-?\d+)?$/i.test(text) ? realBytes(Number(text), width) : undefined;
    case 'INT96':
      return undefined;
    default:
      return physical satisfies never;
  }
}

function wholeBytes(value: bigint, width: number, isUnsigned: boolean): Buffer | undefined {
  const bits = width * 8;
  if ((isUnsigned ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value)) !== value) return undefined;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes.subarray(0, width);
}

function realBytes(value: number, width: number): Buffer {
  const bytes = Buffer.alloc(width);
  if (width === 4) bytes.writeFloatLE(value);
  else bytes.writeDoubleLE(value);
  return bytes;
}
