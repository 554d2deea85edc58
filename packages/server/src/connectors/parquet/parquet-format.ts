import { HabeasError } from '../../foundation/index.ts';
import type {
  ColumnMask,
  FoundRow,
  OpenRows,
  RandomAccess,
  Rewritten,
  RowChange,
  RowFile,
  RowFormat,
} from '../objects/row-format.ts';
import type { RowSearch } from '../objects/row-search.ts';
import { type FoundInGroup, findInGroup, leafAt, type SearchedLeaf, searchedLeaves } from './find-rows.ts';
import { COLUMN, type Footer, type RowGroup, readFooter } from './footer.ts';
import { inOrder } from './in-order.ts';
import { type CompiledMask, compileMask } from './mask-column.ts';
import { readRows } from './read-rows.ts';
import { Refusal } from './refusals.ts';
import type { ChunkChange } from './rewrite-chunk.ts';
import { type GroupChange, rewriteFile } from './rewrite-file.ts';
import { RowSet } from './row-set.ts';
import type { Leaf } from './schema.ts';

/** Rows in Apache Parquet. Row groups without anybody's rows are taken over byte by byte. */
export const parquetFormat: RowFormat = {
  name: 'parquet',
  async open(source, { search, signal }) {
    const footer = await readFooter(source).catch(refuse);
    const searched = searchedLeaves(search, footer.leaves);
    if (searched.length === 0) {
      throw new HabeasError(
        'SCHEMA_MISMATCH',
        'A Parquet file has none of the columns that people are found by; name the columns that it has, or leave it out.',
      );
    }
    return new ParquetFile(source, footer, { search, searched, signal });
  },
};

/** Packed bytes of the searched columns of row groups that are read at once. */
const AT_ONCE_BYTES = 8 << 20;

class ParquetFile implements RowFile {
  readonly #source: RandomAccess;
  readonly #footer: Footer;
  readonly #search: RowSearch;
  readonly #searched: readonly SearchedLeaf[];
  readonly #signal: AbortSignal;

  constructor(
    source: RandomAccess,
    footer: Footer,
    { search, searched, signal }: OpenRows & { readonly searched: readonly SearchedLeaf[] },
  ) {
    this.#source = source;
    this.#footer = footer;
    this.#search = search;
    this.#searched = searched;
    this.#signal = signal;
  }

  async *find(options: { readonly content: boolean }): AsyncGenerator<FoundRow> {
    try {
      yield* this.#find(options);
    } catch (error) {
      refuse(error);
    }
  }

  rewrite(change: RowChange, sink: (bytes: Uint8Array) => Promise<void>): Promise<Rewritten> {
    return this.#rewrite(change, sink).catch(refuse);
  }

  async *#find({ content }: { readonly content: boolean }): AsyncGenerator<FoundRow> {
    for await (const { group, found } of this.#findAll()) {
      if (!content) {
        for (const whose of found.rows.values()) yield { whose, content: undefined };
        continue;
      }
      const rows = readRows(this.#source, group, {
        rows: new RowSet(found.rows.keys()),
        signal: this.#signal,
      });
      const people = found.rows.values();
      for await (const row of rows) yield { whose: people.next().value ?? new Set(), content: row };
    }
  }

  async #rewrite(change: RowChange, sink: (bytes: Uint8Array) => Promise<void>): Promise<Rewritten> {
    const masks = change.kind === 'drop' ? undefined : compileMasks(change.columns, this.#footer.leaves);
    const changes = new Map<number, GroupChange>();
    const of = new Map<number, number>();
    let rows = 0;
    for await (const { number, group, found } of this.#findAll()) {
      rows += found.rows.size;
      for (const whose of found.rows.values()) for (const who of whose) of.set(who, (of.get(who) ?? 0) + 1);
      const groupChange = changeOf(group, found, masks);
      if (groupChange !== undefined) changes.set(number, groupChange);
    }
    const parts = rewriteFile(this.#source, this.#footer, { changes, signal: this.#signal });
    for await (const part of parts) await sink(part);
    return { rows, of };
  }

  async *#findAll(): AsyncGenerator<{
    readonly number: number;
    readonly group: RowGroup;
    readonly found: FoundInGroup;
  }> {
    const weightOf = (group: RowGroup) =>
      this.#searched.reduce(
        (sum, { index }) => sum + (group.chunks[index]?.metadata.int(COLUMN.bytes) ?? 0),
        0,
      );
    const work = (group: RowGroup) =>
      findInGroup(this.#source, group, { search: this.#search, searched: this.#searched });
    let number = 0;
    for await (const found of inOrder(this.#footer.rowGroups, { weightOf, most: AT_ONCE_BYTES, work })) {
      this.#signal.throwIfAborted();
      yield { number, group: this.#footer.rowGroups[number] as RowGroup, found };
      number += 1;
    }
  }
}

/** What is wrong with the file is told as an error of the store; every other error is thrown as it is. */
function refuse(error: unknown): never {
  if (!(error instanceof Refusal)) throw error;
  throw new HabeasError('SYSTEM_FAILED', error.message, { cause: error.cause });
}

function changeOf(
  group: RowGroup,
  { rows: found, named }: FoundInGroup,
  masks: ReadonlyMap<number, CompiledMask> | undefined,
): GroupChange | undefined {
  const rows = new RowSet(found.keys());
  const chunks = new Map<number, ChunkChange>();
  if (masks === undefined) {
    if (rows.size === group.rows) return { kind: 'remove' };
    // Where no row is anybody's, a dictionary may still name them.
    const leaves = rows.size > 0 ? group.chunks.keys() : named;
    for (const leaf of leaves) chunks.set(leaf, { rows, mask: undefined });
  } else if (rows.size > 0) {
    for (const [leaf, compiled] of masks) chunks.set(leaf, { rows, mask: compiled() });
  }
  if (chunks.size === 0) return undefined;
  return { kind: 'change', rowsGone: masks === undefined ? rows.size : 0, chunks };
}

function compileMasks(
  columns: readonly ColumnMask[],
  leaves: readonly Leaf[],
): ReadonlyMap<number, CompiledMask> {
  const masks = new Map<number, CompiledMask>();
  for (const column of columns) {
    const index = leafAt(leaves, column.path);
    const leaf = leaves[index];
    if (leaf !== undefined) masks.set(index, compileMask(column, leaf));
    else if (leaves.some(({ seenPath }) => column.path.every((name, at) => seenPath[at] === name))) {
      throw new HabeasError(
        'SCHEMA_MISMATCH',
        `"${column.path.join('.')}" of a Parquet file is a group of columns; mask the columns in it, each by its own path.`,
      );
    }
  }
  return masks;
}
