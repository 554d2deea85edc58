import type { RandomAccess } from '../objects/row-format.ts';
import { damaged, unsupported } from './refusals.ts';
import { type Leaf, leavesOf } from './schema.ts';
import { readThrift, type ThriftStruct, writeThrift } from './thrift.ts';

export const MAGIC = Buffer.from('PAR1');
const ENCRYPTED_MAGIC = 'PARE';
/** More than the footer of a table with millions of column chunks. */
const MOST_FOOTER_BYTES = 512 << 20;

/** Fields of `FileMetaData` in parquet.thrift. */
export const FILE = { schema: 2, rows: 3, rowGroups: 4, createdBy: 6, encryption: 8 };
/** Fields of `RowGroup`. */
export const ROW_GROUP = { columns: 1, bytes: 2, rows: 3, fileOffset: 5, compressedBytes: 6, ordinal: 7 };
/** Fields of `ColumnChunk`. */
export const CHUNK = {
  filePath: 1,
  fileOffset: 2,
  metadata: 3,
  offsetIndexOffset: 4,
  offsetIndexLength: 5,
  columnIndexOffset: 6,
  columnIndexLength: 7,
  crypto: 8,
  encrypted: 9,
};
/** Fields of `ColumnMetaData`. */
export const COLUMN = {
  codec: 4,
  values: 5,
  bytes: 6,
  compressedBytes: 7,
  dataOffset: 9,
  indexPageOffset: 10,
  dictionaryOffset: 11,
  statistics: 12,
  encodingStats: 13,
  bloomOffset: 14,
  bloomLength: 15,
  sizeStatistics: 16,
  geospatialStatistics: 17,
};

/** What a Parquet file says of itself at its end. */
export interface Footer {
  /** `FileMetaData` with everything that is in it, known here or not. */
  readonly metadata: ThriftStruct;
  readonly leaves: readonly Leaf[];
  readonly rowGroups: readonly RowGroup[];
  /** The footer as it lies in the file, without its length and the magic number. */
  readonly bytes: Buffer;
}

export interface RowGroup {
  readonly struct: ThriftStruct;
  readonly rows: number;
  /** One for each leaf. */
  readonly chunks: readonly Chunk[];
}

/** The values of one column in one row group. */
export interface Chunk {
  readonly struct: ThriftStruct;
  readonly metadata: ThriftStruct;
  readonly leaf: Leaf;
  /** Where its first page begins in the file. */
  readonly offset: number;
  /** Its pages with their headers, in bytes. */
  readonly length: number;
}

/** Reads and checks a footer. Throws a refusal for a file that is torn, encrypted, or none of Parquet. */
export async function readFooter(source: RandomAccess): Promise<Footer> {
  if (source.size < 12) throw damaged('it is too short for one');
  const end = asBuffer(await source.read(source.size - 8, 8));
  const head = asBuffer(await source.read(0, 4));
  if (end.toString('latin1', 4) === ENCRYPTED_MAGIC) throw unsupported('an encrypted footer');
  if (!head.equals(MAGIC) || !end.subarray(4).equals(MAGIC))
    throw damaged('it does not begin and end as one, so it is torn or of another format');
  const length = end.readUInt32LE(0);
  if (length > source.size - 12 || length > MOST_FOOTER_BYTES) throw damaged('its footer is torn');
  const bytes = asBuffer(await source.read(source.size - 8 - length, length));
  const { struct: metadata } = readThrift(bytes);
  if (metadata.has(FILE.encryption)) throw unsupported('encrypted columns');
  refuseOldWriter(metadata.bytes(FILE.createdBy)?.toString() ?? '');
  const leaves = leavesOf(metadata.structs(FILE.schema) ?? []);
  const dataEnd = source.size - 8 - length;
  const rowGroups = (metadata.structs(FILE.rowGroups) ?? []).map((group) =>
    rowGroupOf(group, leaves, dataEnd),
  );
  const rows = rowGroups.reduce((sum, group) => sum + group.rows, 0);
  if (rows !== metadata.int(FILE.rows)) throw damaged('its row groups have other rows than it says');
  return { metadata, leaves, rowGroups, bytes };
}

/** The bytes at the end of a file. */
export function footerBytes(metadata: ThriftStruct): Buffer {
  const bytes = writeThrift(metadata);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([bytes, length, MAGIC]);
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Before 1.2.9 parquet-mr left the header of a dictionary out of a column's length (PARQUET-816). */
function refuseOldWriter(createdBy: string): void {
  const version = /^parquet-mr version (\d+)\.(\d+)\.(\d+)/.exec(createdBy)?.slice(1).map(Number);
  if (version === undefined) return;
  const [major = 0, minor = 0, patch = 0] = version;
  if (major < 1 || (major === 1 && (minor < 2 || (minor === 2 && patch < 9))))
    throw unsupported('been written by parquet-mr before 1.2.9, which counted lengths wrongly');
}

function rowGroupOf(struct: ThriftStruct, leaves: readonly Leaf[], dataEnd: number): RowGroup {
  const columns = struct.structs(ROW_GROUP.columns) ?? [];
  if (columns.length !== leaves.length) throw damaged('a row group has other columns than the schema');
  const rows = struct.int(ROW_GROUP.rows) ?? -1;
  if (rows < 0 || rows > 2 ** 31) throw damaged('a row group does not say how many rows it has');
  const chunks = columns.map((column, index) => chunkOf(column, leaves[index] as Leaf, dataEnd));
  return { struct, rows, chunks };
}

function chunkOf(struct: ThriftStruct, leaf: Leaf, dataEnd: number): Chunk {
  if (struct.has(CHUNK.crypto) || struct.has(CHUNK.encrypted)) throw unsupported('encrypted columns');
  if (struct.has(CHUNK.filePath)) throw unsupported('columns that lie in other files');
  const metadata = struct.struct(CHUNK.metadata);
  if (metadata === undefined) throw unsupported('columns whose description lies elsewhere');
  const length = metadata.int(COLUMN.compressedBytes) ?? -1;
  // Writers say 0 where there is none: no dictionary, or no data pages where the row group has no rows.
  const places = [COLUMN.dataOffset, COLUMN.dictionaryOffset]
    .map((field) => metadata.int(field) ?? 0)
    .filter((at) => at !== 0);
  const offset = places.length === 0 && length === 0 ? MAGIC.length : Math.min(...places, dataEnd);
  if (offset < MAGIC.length || length < 0 || offset + length > dataEnd)
    throw damaged('a column lies outside of it');
  return { struct, metadata, leaf, offset, length };
}
