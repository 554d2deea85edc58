import type { RandomAccess } from '../objects/row-format.ts';
import { entriesOfRows } from './cut.ts';
import { readDictionary } from './dictionary.ts';
import { rowsToldBy } from './find-rows.ts';
import type { Chunk, RowGroup } from './footer.ts';
import { release } from './memory.ts';
import { readPages } from './page.ts';
import { type PageContent, readContent, rowsIn } from './page-content.ts';
import { shownValue } from './physical.ts';
import type { PlainValues } from './plain-values.ts';
import { RowSet } from './row-set.ts';
import type { Leaf, Step } from './schema.ts';

type Row = Record<string, unknown>;

/** Rows that are put together at once. */
const BATCH_ROWS = 2_000;

/**
 * All of what is in some rows of a row group, in order: structs are objects, lists are arrays, maps are arrays of `{ key, value }`. Whole
 * numbers that a number cannot hold are text.
 */
export async function* readRows(
  source: RandomAccess,
  group: RowGroup,
  {
    rows,
    signal,
    atOnce = BATCH_ROWS,
  }: {
    readonly rows: RowSet;
    readonly signal: AbortSignal;
    /** Rows that are put together at once; the group is read once for each so many. */
    readonly atOnce?: number;
  },
): AsyncGenerator<Row> {
  for (let at = 0; at < rows.size; at += atOnce) {
    const batch = new RowSet(rows.rows.subarray(at, at + atOnce));
    const made = new Map<number, Row>(Array.from(batch.rows, (row) => [row, emptyObject()]));
    for (const chunk of group.chunks) {
      signal.throwIfAborted();
      await addColumn(source, chunk, { rows: batch, made });
    }
    yield* made.values();
  }
}

async function addColumn(
  source: RandomAccess,
  chunk: Chunk,
  { rows, made }: { readonly rows: RowSet; readonly made: ReadonlyMap<number, Row> },
): Promise<void> {
  const assembly = new Assembly(chunk.leaf);
  let dictionary: PlainValues | undefined;
  let firstRow = 0;
  for await (const page of readPages(source, chunk)) {
    if (page.type === 'index') continue;
    if (page.type === 'dictionary') {
      dictionary = await readDictionary(page, chunk);
      continue;
    }
    const known = rowsToldBy(page, chunk.leaf);
    if (known !== undefined && rows.between(firstRow, firstRow + known).length === 0) {
      firstRow += known;
      continue;
    }
    const content = await readContent(page, chunk, dictionary?.count ?? 0);
    addPage(content, { assembly, rows, made, firstRow, dictionary });
    firstRow += rowsIn(content);
    release(content.memory);
  }
}

function addPage(
  content: PageContent,
  {
    assembly,
    rows,
    made,
    firstRow,
    dictionary,
  }: {
    readonly assembly: Assembly;
    readonly rows: RowSet;
    readonly made: ReadonlyMap<number, Row>;
    readonly firstRow: number;
    readonly dictionary: PlainValues | undefined;
  },
): void {
  const { leaf } = assembly;
  const ranges = entriesOfRows(content, rows, firstRow);
  const { values, definition, repetition } = content;
  let row = firstRow - 1;
  let value = 0;
  let entry = 0;
  for (const { from, to } of [...ranges, { from: content.entries, to: content.entries }]) {
    for (; entry < to; entry += 1) {
      const repeats = repetition?.[entry] ?? 0;
      if (repeats === 0) row += 1;
      const defined = definition?.[entry] ?? leaf.maxDefinition;
      if (entry >= from) {
        const bytes = (): Buffer =>
          values.kind === 'plain'
            ? values.plain.at(value)
            : (dictionary as PlainValues).at(values.indices[value] as number);
        const shown = defined === leaf.maxDefinition ? plainNumber(shownValue(leaf, bytes())) : null;
        assembly.add(made.get(row) as Row, { repeats, defined, value: shown });
      }
      if (defined === leaf.maxDefinition) value += 1;
    }
  }
}

function plainNumber(value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

/** A name may be `__proto__`. */
function emptyObject(): Row {
  return Object.create(null) as Row;
}

/** Where a value stands: a member of an object, or an element of a list. */
interface Slot {
  get(): unknown;
  set(value: unknown): void;
}

/** Puts the values of one column into rows, by their levels. Source: the Dremel paper (Melnik et al., 2010). */
class Assembly {
  readonly leaf: Leaf;
  /** Which element of each list the last value was in, by level of repetition. */
  readonly #places: number[] = [];

  constructor(leaf: Leaf) {
    this.leaf = leaf;
  }

  add(
    row: Row,
    {
      repeats,
      defined,
      value,
    }: { readonly repeats: number; readonly defined: number; readonly value: unknown },
  ): void {
    let slot: Slot = { get: () => row, set: () => undefined };
    for (const step of this.leaf.steps) {
      slot = named(slot, step);
      if (defined < step.definition) {
        slot.set(step.isRepeated ? [] : null);
        return;
      }
      if (step.isRepeated) slot = this.#element(slot, step, repeats);
    }
    slot.set(value);
  }

  #element(slot: Slot, { repetition }: Step, repeats: number): Slot {
    const list = (slot.get() as unknown[] | undefined) ?? [];
    slot.set(list);
    const before = this.#places[repetition] ?? 0;
    const place = repeats < repetition ? 0 : repeats === repetition ? before + 1 : before;
    this.#places[repetition] = place;
    return {
      get: () => list[place],
      set: (value) => {
        list[place] = value;
      },
    };
  }
}

function named(slot: Slot, { name }: Step): Slot {
  if (name === undefined) return slot;
  const object = (slot.get() as Row | undefined) ?? emptyObject();
  slot.set(object);
  return {
    get: () => object[name],
    set: (value) => {
      object[name] = value;
    },
  };
}
