import type { RandomAccess } from '../objects/row-format.ts';
import type { ChangedChunk } from './changed-chunk.ts';
import { codecOf, Packer } from './codecs.ts';
import { entriesOfRows, nullsIn, valueRanges, withoutEntries } from './cut.ts';
import {
  type ChangedDictionary,
  DictionaryChange,
  movedIndices,
  readDictionary,
  writeDictionary,
} from './dictionary.ts';
import { rowsToldBy } from './find-rows.ts';
import { type Chunk, COLUMN } from './footer.ts';
import { type MaskValue, maskedContent } from './mask-page.ts';
import { release } from './memory.ts';
import { type Page, readPages } from './page.ts';
import {
  entriesOf,
  isByDictionary,
  type PageContent,
  readContent,
  rowsIn,
  writeContent,
} from './page-content.ts';
import type { Range } from './plain-values.ts';
import { damaged } from './refusals.ts';
import type { RowSet } from './row-set.ts';
import { type Bounds, BoundsFinder, boundsOf, changedStatistics, mayBound } from './statistics.ts';

/** What happens to the values of some rows of a column. Without a mask the rows go. */
export interface ChunkChange {
  readonly rows: RowSet;
  readonly mask: MaskValue | undefined;
}

/** A column that is held while it is worked on: more than one at a time then. */
export function isHeld({ metadata, length }: Chunk): boolean {
  return Math.max(length, metadata.int(COLUMN.bytes) ?? Number.POSITIVE_INFINITY) <= HELD_BYTES;
}

const HELD_BYTES = 24 << 20;

/**
 * Gives the bytes of the changed column, and at last what its metadata has to say. Pages that have none of the rows are given byte by
 * byte, unless the number of one of their dictionary entries has changed.
 */
export async function* rewriteChunk(
  source: RandomAccess,
  chunk: Chunk,
  change: ChunkChange,
): AsyncGenerator<Buffer, ChangedChunk> {
  const rewriting = new ChunkRewriting(source, chunk, change);
  return yield* rewriting.run();
}

/** A column that is made, to be given when its turn comes. */
export interface CollectedChunk {
  readonly parts: readonly Buffer[];
  readonly changed: ChangedChunk;
}

export async function collectChunk(
  source: RandomAccess,
  chunk: Chunk,
  change: ChunkChange,
): Promise<CollectedChunk> {
  const parts: Buffer[] = [];
  const giving = rewriteChunk(source, chunk, change);
  let turn = await giving.next();
  for (; turn.done !== true; turn = await giving.next()) parts.push(turn.value);
  return { parts, changed: turn.value };
}

/** A data page of the column, and what it has to say. */
interface Worked {
  readonly page: Page;
  /** After the change; undefined where the page did not have to be read. */
  readonly content: PageContent | undefined;
  readonly isChanged: boolean;
}

class ChunkRewriting {
  readonly #source: RandomAccess;
  readonly #chunk: Chunk;
  readonly #change: ChunkChange;
  readonly #packer: Packer;
  readonly #bounds: Bounds | undefined;
  #dictionary: { readonly page: Page; readonly change: DictionaryChange; readonly size: number } | undefined;
  #mustFindBounds = false;
  #nullsGone = 0;
  #isCounting = true;
  readonly #made = { values: 0, bytes: 0, compressedBytes: 0, dictionaryBytes: 0, hasFewerPages: false };

  constructor(source: RandomAccess, chunk: Chunk, change: ChunkChange) {
    this.#source = source;
    this.#chunk = chunk;
    this.#change = change;
    this.#packer = new Packer(codecOf(chunk.metadata.int(COLUMN.codec)));
    this.#bounds = boundsOf(chunk.metadata.struct(COLUMN.statistics), chunk.leaf);
  }

  async *run(): AsyncGenerator<Buffer, ChangedChunk> {
    const held = isHeld(this.#chunk) ? await Array.fromAsync(this.#work()) : undefined;
    if (held === undefined) await this.#readDictionary();
    let dictionary: ChangedDictionary | undefined;
    if (this.#dictionary !== undefined) {
      for await (const { content } of held ?? this.#work())
        if (content?.values.kind === 'indices') this.#dictionary.change.use(content.values.indices);
      this.#isCounting = false;
      dictionary = this.#dictionary.change.result();
      yield* this.#giveDictionary(this.#dictionary.page, dictionary);
    }
    let hasOnlyIndices = dictionary !== undefined;
    for await (const worked of held ?? this.#work()) {
      hasOnlyIndices &&= worked.content?.values.kind === 'indices';
      yield* this.#give(worked, dictionary);
      if (held === undefined && worked.content !== undefined) release(worked.content.memory);
    }
    const bounds = this.#mustFindBounds ? await this.#findBounds(held, dictionary) : this.#bounds;
    const statistics = changedStatistics(this.#chunk.metadata.struct(COLUMN.statistics), {
      bounds,
      areFound: this.#mustFindBounds,
      nullsGone: this.#nullsGone,
    });
    for (const { content } of held ?? []) if (content !== undefined) release(content.memory);
    return { ...this.#made, statistics, hasSameValues: hasOnlyIndices && dictionary?.isSame === true };
  }

  async #readDictionary(): Promise<void> {
    for await (const page of readPages(this.#source, this.#chunk)) {
      if (page.type === 'dictionary') await this.#useDictionary(page);
      return;
    }
  }

  async #useDictionary(page: Page): Promise<void> {
    if (this.#dictionary !== undefined) return;
    const values = await readDictionary(page, this.#chunk);
    this.#dictionary = { page, change: new DictionaryChange(values, this.#chunk), size: values.count };
  }

  /** The data pages with the change made; the dictionary is kept on the way. */
  async *#work(): AsyncGenerator<Worked> {
    let firstRow = 0;
    let entries = 0;
    for await (const page of readPages(this.#source, this.#chunk)) {
      if (page.type === 'index') continue;
      if (page.type === 'dictionary') {
        await this.#useDictionary(page);
        continue;
      }
      entries += entriesOf(page);
      const known = rowsToldBy(page, this.#chunk.leaf);
      const mustRead =
        known === undefined ||
        (this.#dictionary !== undefined && isByDictionary(page)) ||
        this.#change.rows.between(firstRow, firstRow + known).length > 0;
      const content = mustRead
        ? await readContent(page, this.#chunk, this.#dictionary?.size ?? 0)
        : undefined;
      yield content === undefined
        ? { page, content, isChanged: false }
        : this.#changed(page, content, firstRow);
      firstRow += content === undefined ? (known ?? 0) : rowsIn(content);
    }
    if (entries !== this.#chunk.metadata.int(COLUMN.values))
      throw damaged('a column has other values than it says');
  }

  #changed(page: Page, content: PageContent, firstRow: number): Worked {
    const ranges = entriesOfRows(content, this.#change.rows, firstRow);
    if (ranges.length === 0) return { page, content, isChanged: false };
    const { leaf } = this.#chunk;
    const gone = valueRanges(content, ranges, leaf.maxDefinition);
    if (this.#isCounting) this.#noteGone(content, gone);
    const { mask } = this.#change;
    const changed =
      mask === undefined
        ? withoutEntries(content, ranges, leaf.maxDefinition)
        : maskedContent(content, { values: gone, leaf, mask, dictionary: this.#dictionary?.change });
    if (this.#isCounting) this.#nullsGone += nullsIn(content) - nullsIn(changed);
    return { page, content: changed, isChanged: true };
  }

  #noteGone({ values }: PageContent, gone: readonly Range[]): void {
    if (this.#bounds === undefined || this.#mustFindBounds) return;
    const { leaf } = this.#chunk;
    if (this.#change.mask !== undefined && gone.length > 0) this.#mustFindBounds = true;
    for (const { from, to } of gone) {
      for (let index = from; index < to; index += 1) {
        const value =
          values.kind === 'plain'
            ? values.plain.at(index)
            : this.#dictionary?.change.value(values.indices[index] as number);
        if (value === undefined || mayBound(leaf, this.#bounds, value)) this.#mustFindBounds = true;
      }
    }
  }

  async *#giveDictionary(page: Page, { values, moves, isSame }: ChangedDictionary): AsyncGenerator<Buffer> {
    const made = isSame
      ? page
      : await writeDictionary(page, values, { isMoved: moves.size > 0, packer: this.#packer });
    this.#made.dictionaryBytes = made.head.length + made.body.length;
    yield* this.#givePage(made);
  }

  async *#give(
    { page, content, isChanged }: Worked,
    dictionary: ChangedDictionary | undefined,
  ): AsyncGenerator<Buffer> {
    // Arrow writes pages without entries, and does not read on after one that is the first.
    if ((content?.entries ?? entriesOf(page)) === 0) {
      this.#made.hasFewerPages = true;
      return;
    }
    if (content === undefined) {
      this.#made.values += entriesOf(page);
      yield* this.#givePage(page);
      return;
    }
    this.#made.values += content.entries;
    const { values } = content;
    const indices =
      values.kind === 'indices' ? movedIndices(values.indices, dictionary?.moves ?? new Map()) : undefined;
    const isMoved = values.kind === 'indices' && indices !== values.indices;
    if (!isChanged && !isMoved) {
      yield* this.#givePage(page);
      return;
    }
    const made =
      indices === undefined ? content : { ...content, values: { kind: 'indices' as const, indices } };
    yield* this.#givePage(
      await writeContent(page, made, {
        chunk: this.#chunk,
        packer: this.#packer,
        dictionarySize: dictionary?.values.count ?? 0,
      }),
    );
  }

  *#givePage({ head, body, unpacked }: Page): Generator<Buffer> {
    this.#made.bytes += head.length + unpacked;
    this.#made.compressedBytes += head.length + body.length;
    yield head;
    yield body;
  }

  /** Of columns that are too long to be held, nothing is told any more. */
  async #findBounds(
    held: readonly Worked[] | undefined,
    dictionary: ChangedDictionary | undefined,
  ): Promise<Bounds | undefined> {
    if (held === undefined) return undefined;
    const finder = new BoundsFinder(this.#chunk.leaf);
    if (dictionary !== undefined) finder.addAll(dictionary.values);
    for (const { page, content } of held) {
      const { values } = content ?? (await readContent(page, this.#chunk, this.#dictionary?.size ?? 0));
      if (values.kind === 'plain') finder.addAll(values.plain);
    }
    return finder.bounds();
  }
}
