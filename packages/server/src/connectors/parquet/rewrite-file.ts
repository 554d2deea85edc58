import { partsOf } from '../objects/parts-of.ts';
import type { RandomAccess } from '../objects/row-format.ts';
import { changeChunk } from './change-chunk.ts';
import type { ChangedChunk } from './changed-chunk.ts';
import {
  asBuffer,
  CHUNK,
  type Chunk,
  COLUMN,
  FILE,
  type Footer,
  footerBytes,
  MAGIC,
  ROW_GROUP,
  type RowGroup,
} from './footer.ts';
import { inOrder } from './in-order.ts';
import { release } from './memory.ts';
import { copiedIndexes, type IndexPlace } from './page-index.ts';
import { type ChunkChange, type CollectedChunk, isHeld, rewriteChunk } from './rewrite-chunk.ts';
import { readThrift, type ThriftStruct } from './thrift.ts';

/** What happens to a row group; undefined in the place of a row group that stays as it is. */
export type GroupChange =
  /** All of its rows go. */
  | { readonly kind: 'remove' }
  /** `rowsGone`: how many rows it has fewer. `chunks`: changes by number of the leaf; the others stay as they are. */
  | { readonly kind: 'change'; readonly rowsGone: number; readonly chunks: ReadonlyMap<number, ChunkChange> };

/** Unpacked bytes of columns that are worked on at once. */
const AT_ONCE_BYTES = 20 << 20;

/**
 * The bytes of the file with these changes, by number of the row group. Columns that stay are copied byte by byte; what lies between
 * them, which nothing in the footer names, is left out.
 */
export async function* rewriteFile(
  source: RandomAccess,
  footer: Footer,
  { changes, signal }: { readonly changes: ReadonlyMap<number, GroupChange>; readonly signal: AbortSignal },
): AsyncGenerator<Buffer> {
  const kept = footer.rowGroups.flatMap((group, number) => {
    const change = changes.get(number);
    return change?.kind === 'remove' ? [] : [keptGroup(group, change)];
  });
  const chunks = kept.flatMap((group) => group.chunks);
  let at = 0;
  const placed = function* (part: Buffer): Generator<Buffer> {
    at += part.length;
    yield part;
  };
  yield* placed(MAGIC);
  const prepare = async (step: Step) =>
    isWorkedAhead(step) ? await changeChunk(source, step.chunk.old, step.change) : undefined;
  const steps = stepsOf(await blocksOf(source, chunks));
  let next = 0;
  for await (const ready of inOrder(steps, { weightOf, most: AT_ONCE_BYTES, work: prepare })) {
    signal.throwIfAborted();
    const step = steps[next] as Step;
    next += 1;
    const start = at;
    if (step.kind === 'rewrite') {
      const giving = ready === undefined ? rewriteChunk(source, step.chunk.old, step.change) : replay(ready);
      let turn = await giving.next();
      for (; turn.done !== true; turn = await giving.next()) {
        yield* placed(turn.value);
        // Whoever took it is done with it when they ask for more.
        release(turn.value);
      }
      step.chunk.changed = turn.value;
      step.chunk.offset = start;
      continue;
    }
    for (const block of step.blocks) block.place(start + block.offset - step.offset);
    for await (const part of partsOf(rangeOf(source, step), signal)) yield* placed(part);
  }
  yield* copyIndexes(source, { chunks, placed, position: () => at });
  yield footerBytes(changedMetadata(footer, kept));
}

/** A row group of the new file. */
interface KeptGroup {
  readonly group: RowGroup;
  readonly rows: number;
  readonly chunks: readonly KeptChunk[];
}

/** A column of it; where it lies is known when it was written. */
interface KeptChunk {
  readonly old: Chunk;
  readonly change: ChunkChange | undefined;
  changed: ChangedChunk | undefined;
  offset: number;
  bloomOffset: number | undefined;
  indexes: { columns: IndexPlace | undefined; offsets: IndexPlace | undefined };
}

function keptGroup(group: RowGroup, change: Extract<GroupChange, { kind: 'change' }> | undefined): KeptGroup {
  const chunks = group.chunks.map(
    (old, leaf): KeptChunk => ({
      old,
      change: change?.chunks.get(leaf),
      changed: undefined,
      offset: 0,
      bloomOffset: undefined,
      indexes: { columns: undefined, offsets: undefined },
    }),
  );
  return { group, rows: group.rows - (change?.rowsGone ?? 0), chunks };
}

/** Something that lies in the old file and moves as it is. */
interface Block {
  readonly offset: number;
  readonly length: number;
  place(offset: number): void;
}

interface ChangedBlock extends Pick<Block, 'offset'> {
  readonly chunk: KeptChunk;
  readonly change: ChunkChange;
}

type Step =
  | { readonly kind: 'copy'; readonly offset: number; length: number; readonly blocks: Block[] }
  | { readonly kind: 'rewrite'; readonly chunk: KeptChunk; readonly change: ChunkChange };

/** Columns and filters in the order in which they lie. */
async function blocksOf(
  source: RandomAccess,
  chunks: readonly KeptChunk[],
): Promise<readonly (Block | ChangedBlock)[]> {
  const blocks: (Block | ChangedBlock)[] = [];
  for (const chunk of chunks) {
    const { offset, length, metadata } = chunk.old;
    const place = (at: number) => {
      chunk.offset = at;
    };
    blocks.push(
      chunk.change === undefined ? { offset, length, place } : { offset, chunk, change: chunk.change },
    );
    const bloom = metadata.int(COLUMN.bloomOffset);
    if (bloom === undefined) continue;
    const placeBloom = (at: number) => {
      chunk.bloomOffset = at;
    };
    blocks.push({ offset: bloom, length: await bloomLength(source, metadata, bloom), place: placeBloom });
  }
  return blocks.sort((a, b) => a.offset - b.offset);
}

async function bloomLength(source: RandomAccess, metadata: ThriftStruct, offset: number): Promise<number> {
  const told = metadata.int(COLUMN.bloomLength);
  if (told !== undefined) return told;
  // Files from before its length was written down: `BloomFilterHeader` begins with the length of what follows it.
  const { struct, length } = readThrift(
    asBuffer(await source.read(offset, Math.min(256, source.size - offset))),
  );
  return length + (struct.int(1) ?? 0);
}

/** Blocks that lie side by side are copied at once. */
function stepsOf(blocks: readonly (Block | ChangedBlock)[]): readonly Step[] {
  const steps: Step[] = [];
  for (const block of blocks) {
    const last = steps.at(-1);
    if ('change' in block) steps.push({ kind: 'rewrite', chunk: block.chunk, change: block.change });
    else if (last?.kind === 'copy' && last.offset + last.length === block.offset) {
      last.blocks.push(block);
      last.length += block.length;
    } else steps.push({ kind: 'copy', offset: block.offset, length: block.length, blocks: [block] });
  }
  return steps;
}

function isWorkedAhead(step: Step): step is Extract<Step, { kind: 'rewrite' }> {
  return step.kind === 'rewrite' && isHeld(step.chunk.old);
}

function weightOf(step: Step): number {
  return isWorkedAhead(step)
    ? Math.max(step.chunk.old.metadata.int(COLUMN.bytes) ?? 0, step.chunk.old.length)
    : 0;
}

async function* replay({ parts, changed }: CollectedChunk): AsyncGenerator<Buffer, ChangedChunk> {
  yield* parts;
  return changed;
}

function rangeOf(
  source: RandomAccess,
  { offset, length }: { readonly offset: number; readonly length: number },
): RandomAccess {
  return { size: length, read: (at, count) => source.read(offset + at, count) };
}

/** Indexes of pages lie behind all columns, since they name places of pages. */
async function* copyIndexes(
  source: RandomAccess,
  {
    chunks,
    placed,
    position,
  }: {
    readonly chunks: readonly KeptChunk[];
    readonly placed: (part: Buffer) => Generator<Buffer>;
    readonly position: () => number;
  },
): AsyncGenerator<Buffer> {
  for (const kind of ['columns', 'offsets'] as const) {
    for (const chunk of chunks) {
      if (chunk.changed !== undefined) continue;
      const bytes = await copiedIndexes(source, chunk.old, { kind, moved: chunk.offset - chunk.old.offset });
      if (bytes === undefined) continue;
      chunk.indexes[kind] = { offset: position(), length: bytes.length };
      yield* placed(bytes);
    }
  }
}

function changedMetadata({ metadata, rowGroups }: Footer, kept: readonly KeptGroup[]): ThriftStruct {
  const structs = kept.map((group, ordinal) =>
    groupStruct(group, kept.length === rowGroups.length ? undefined : ordinal),
  );
  return metadata
    .copy()
    .set(
      FILE.rows,
      'i64',
      kept.reduce((sum, { rows }) => sum + rows, 0),
    )
    .set(FILE.rowGroups, 'list', { of: 12, items: structs });
}

function groupStruct({ group, rows, chunks }: KeptGroup, ordinal: number | undefined): ThriftStruct {
  const columns = chunks.map(chunkStruct);
  const struct = group.struct
    .copy()
    .set(ROW_GROUP.columns, 'list', { of: 12, items: columns })
    .set(ROW_GROUP.rows, 'i64', rows);
  if (struct.has(ROW_GROUP.ordinal) && ordinal !== undefined) struct.set(ROW_GROUP.ordinal, 'i16', ordinal);
  if (struct.has(ROW_GROUP.fileOffset)) struct.set(ROW_GROUP.fileOffset, 'i64', chunks[0]?.offset ?? 0);
  if (chunks.every(({ changed }) => changed === undefined)) return struct;
  const sum = (field: number) =>
    columns.reduce((total, column) => total + (column.struct(CHUNK.metadata)?.int(field) ?? 0), 0);
  struct.set(ROW_GROUP.bytes, 'i64', sum(COLUMN.bytes));
  if (struct.has(ROW_GROUP.compressedBytes))
    struct.set(ROW_GROUP.compressedBytes, 'i64', sum(COLUMN.compressedBytes));
  return struct;
}

function chunkStruct(chunk: KeptChunk): ThriftStruct {
  const { old, changed, offset, indexes } = chunk;
  const struct = old.struct
    .copy()
    .set(
      CHUNK.metadata,
      'struct',
      changed === undefined ? movedMetadata(chunk) : changedColumn(chunk, changed),
    );
  // It names a second copy of the metadata, which nobody reads; 0 says that there is none.
  const isWithin =
    (struct.int(CHUNK.fileOffset) ?? 0) >= old.offset &&
    (struct.int(CHUNK.fileOffset) ?? 0) < old.offset + old.length;
  struct.set(CHUNK.fileOffset, 'i64', isWithin ? offset : 0);
  struct.delete(
    CHUNK.columnIndexOffset,
    CHUNK.columnIndexLength,
    CHUNK.offsetIndexOffset,
    CHUNK.offsetIndexLength,
  );
  if (indexes.columns !== undefined)
    struct
      .set(CHUNK.columnIndexOffset, 'i64', indexes.columns.offset)
      .set(CHUNK.columnIndexLength, 'i32', indexes.columns.length);
  if (indexes.offsets !== undefined)
    struct
      .set(CHUNK.offsetIndexOffset, 'i64', indexes.offsets.offset)
      .set(CHUNK.offsetIndexLength, 'i32', indexes.offsets.length);
  return struct;
}

function movedMetadata({ old, offset, bloomOffset }: KeptChunk): ThriftStruct {
  const metadata = old.metadata.copy();
  for (const field of [COLUMN.dataOffset, COLUMN.dictionaryOffset, COLUMN.indexPageOffset]) {
    const at = metadata.int(field);
    if (at !== undefined && at !== 0) metadata.set(field, 'i64', at + offset - old.offset);
  }
  if (bloomOffset !== undefined) metadata.set(COLUMN.bloomOffset, 'i64', bloomOffset);
  return metadata;
}

function changedColumn({ old, offset, bloomOffset }: KeptChunk, changed: ChangedChunk): ThriftStruct {
  const metadata = old.metadata
    .copy()
    .set(COLUMN.values, 'i64', changed.values)
    .set(COLUMN.bytes, 'i64', changed.bytes)
    .set(COLUMN.compressedBytes, 'i64', changed.compressedBytes)
    .set(COLUMN.dataOffset, 'i64', offset + changed.dictionaryBytes)
    .delete(
      COLUMN.dictionaryOffset,
      COLUMN.indexPageOffset,
      COLUMN.statistics,
      COLUMN.sizeStatistics,
      COLUMN.geospatialStatistics,
    );
  if (changed.dictionaryBytes > 0) metadata.set(COLUMN.dictionaryOffset, 'i64', offset);
  if (changed.statistics !== undefined) metadata.set(COLUMN.statistics, 'struct', changed.statistics);
  if (changed.hasFewerPages) metadata.delete(COLUMN.encodingStats);
  if (bloomOffset === undefined) return metadata;
  return changed.hasSameValues
    ? metadata.set(COLUMN.bloomOffset, 'i64', bloomOffset)
    : metadata.delete(COLUMN.bloomOffset, COLUMN.bloomLength);
}
