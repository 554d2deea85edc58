import type { RandomAccess } from '../objects/row-format.ts';
import { asBuffer, CHUNK, type Chunk } from './footer.ts';
import { damaged } from './refusals.ts';
import { readThrift, type ThriftStruct, writeThrift } from './thrift.ts';

/** Where an index of pages lies. */
export interface IndexPlace {
  readonly offset: number;
  readonly length: number;
}

const PLACES = {
  /** Least and greatest values by page (`ColumnIndex`). */
  columns: { offset: CHUNK.columnIndexOffset, length: CHUNK.columnIndexLength },
  /** Where pages lie (`OffsetIndex`). */
  offsets: { offset: CHUNK.offsetIndexOffset, length: CHUNK.offsetIndexLength },
};

/** Field of `OffsetIndex` and of the `PageLocation`s in it. */
const PAGE_LOCATIONS = 1;
const PAGE_OFFSET = 1;

/** The index of a column that lies by so many bytes further now; undefined where it has none. */
export async function copiedIndexes(
  source: RandomAccess,
  chunk: Chunk,
  { kind, moved }: { readonly kind: keyof typeof PLACES; readonly moved: number },
): Promise<Buffer | undefined> {
  const offset = chunk.struct.int(PLACES[kind].offset);
  const length = chunk.struct.int(PLACES[kind].length);
  if (offset === undefined || length === undefined) return undefined;
  if (offset < 0 || length < 0 || offset + length > source.size)
    throw damaged('an index of pages lies outside of it');
  const bytes = asBuffer(await source.read(offset, length));
  if (kind === 'columns' || moved === 0) return bytes;
  const index = readThrift(bytes).struct.copy();
  const locations = (index.structs(PAGE_LOCATIONS) ?? []).map((location) => movedLocation(location, moved));
  return writeThrift(index.set(PAGE_LOCATIONS, 'list', { of: 12, items: locations }));
}

function movedLocation(location: ThriftStruct, moved: number): ThriftStruct {
  const at = location.int(PAGE_OFFSET);
  if (at === undefined) throw damaged('an index of pages names no place');
  return location.copy().set(PAGE_OFFSET, 'i64', at + moved);
}
