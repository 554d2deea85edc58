/** One file of a zip, as its directory tells of it. Sizes and offsets in bytes. */
export interface ZipEntry {
  readonly path: string;
  readonly method: 'stored' | 'deflated';
  /** Whether its sizes are told in 64 bits beside its bytes too; said before they are known. */
  readonly wide: boolean;
  readonly crc: number;
  readonly size: number;
  readonly packedSize: number;
  /** Where its local header begins. */
  readonly offset: number;
}

/** The largest number that 32 bits can tell; it stands for "see the zip64 field". */
const MOST_32 = 0xffffffff;
const MOST_16 = 0xffff;

/** Sizes follow the bytes (bit 3); names are UTF-8 (bit 11). */
const FLAGS = 0x0808;
const METHODS = { stored: 0, deflated: 8 } as const;
const UNIX = 3;
/** A plain file that everybody may read. */
const MODE = 0o100644;
const VERSION_PLAIN = 20;
const VERSION_ZIP64 = 45;
const ZIP64_FIELD = 0x0001;

/** What stands before the bytes of a file (APPNOTE 4.3.7). Its sizes are not known yet. */
export function localHeader(entry: Pick<ZipEntry, 'path' | 'method' | 'wide'>, time: Date): Buffer {
  const name = Buffer.from(entry.path);
  const extra = entry.wide ? zip64Field([0, 0]) : Buffer.alloc(0);
  const fixed = Buffer.alloc(30);
  fixed.writeUInt32LE(0x04034b50, 0);
  fixed.writeUInt16LE(entry.wide ? VERSION_ZIP64 : VERSION_PLAIN, 4);
  fixed.writeUInt16LE(FLAGS, 6);
  fixed.writeUInt16LE(METHODS[entry.method], 8);
  fixed.writeUInt32LE(dosTime(time), 10);
  // With a zip64 field the plain ones say so, which is how readers of streams know the width of what follows the bytes.
  fixed.writeUInt32LE(entry.wide ? MOST_32 : 0, 18);
  fixed.writeUInt32LE(entry.wide ? MOST_32 : 0, 22);
  fixed.writeUInt16LE(name.length, 26);
  fixed.writeUInt16LE(extra.length, 28);
  return Buffer.concat([fixed, name, extra]);
}

/** What stands behind the bytes of a file (APPNOTE 4.3.9). */
export function dataDescriptor(entry: Pick<ZipEntry, 'wide' | 'crc' | 'size' | 'packedSize'>): Buffer {
  const bytes = Buffer.alloc(entry.wide ? 24 : 16);
  bytes.writeUInt32LE(0x08074b50, 0);
  bytes.writeUInt32LE(entry.crc, 4);
  if (entry.wide) {
    bytes.writeBigUInt64LE(BigInt(entry.packedSize), 8);
    bytes.writeBigUInt64LE(BigInt(entry.size), 16);
  } else {
    bytes.writeUInt32LE(entry.packedSize, 8);
    bytes.writeUInt32LE(entry.size, 12);
  }
  return bytes;
}

/** What the directory at the end says of a file (APPNOTE 4.3.12). */
export function directoryHeader(entry: ZipEntry, time: Date): Buffer {
  const name = Buffer.from(entry.path);
  const large = entry.wide || Math.max(entry.size, entry.packedSize, entry.offset) >= MOST_32;
  const extra = large ? zip64Field([entry.size, entry.packedSize, entry.offset]) : Buffer.alloc(0);
  const fixed = Buffer.alloc(46);
  fixed.writeUInt32LE(0x02014b50, 0);
  fixed.writeUInt16LE((UNIX << 8) | VERSION_ZIP64, 4);
  fixed.writeUInt16LE(large ? VERSION_ZIP64 : VERSION_PLAIN, 6);
  fixed.writeUInt16LE(FLAGS, 8);
  fixed.writeUInt16LE(METHODS[entry.method], 10);
  fixed.writeUInt32LE(dosTime(time), 12);
  fixed.writeUInt32LE(entry.crc, 16);
  fixed.writeUInt32LE(large ? MOST_32 : entry.packedSize, 20);
  fixed.writeUInt32LE(large ? MOST_32 : entry.size, 24);
  fixed.writeUInt16LE(name.length, 28);
  fixed.writeUInt16LE(extra.length, 30);
  fixed.writeUInt32LE((MODE << 16) >>> 0, 38);
  fixed.writeUInt32LE(large ? MOST_32 : entry.offset, 42);
  return Buffer.concat([fixed, name, extra]);
}

/** The end of a zip (APPNOTE 4.3.14 to 4.3.16), with its zip64 records where 16 or 32 bits do not suffice. */
export function endOfZip(directory: {
  readonly entries: number;
  readonly offset: number;
  readonly size: number;
}): Buffer {
  const { entries, offset, size } = directory;
  const large = entries >= MOST_16 || offset >= MOST_32 || size >= MOST_32;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(large ? MOST_16 : entries, 8);
  end.writeUInt16LE(large ? MOST_16 : entries, 10);
  end.writeUInt32LE(large ? MOST_32 : size, 12);
  end.writeUInt32LE(large ? MOST_32 : offset, 16);
  if (!large) return end;
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeUInt16LE((UNIX << 8) | VERSION_ZIP64, 12);
  record.writeUInt16LE(VERSION_ZIP64, 14);
  record.writeBigUInt64LE(BigInt(entries), 24);
  record.writeBigUInt64LE(BigInt(entries), 32);
  record.writeBigUInt64LE(BigInt(size), 40);
  record.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(offset + size), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([record, locator, end]);
}

function zip64Field(numbers: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * numbers.length);
  field.writeUInt16LE(ZIP64_FIELD, 0);
  field.writeUInt16LE(8 * numbers.length, 2);
  for (const [index, number] of numbers.entries()) field.writeBigUInt64LE(BigInt(number), 4 + 8 * index);
  return field;
}

/** Date and time as MS-DOS tells them, in UTC: to two seconds, from 1980 to 2107. */
function dosTime(time: Date): number {
  const year = Math.min(Math.max(time.getUTCFullYear(), 1980), 2107) - 1980;
  const date = (year << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate();
  const clock = (time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1);
  return ((date << 16) | clock) >>> 0;
}
