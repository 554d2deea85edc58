import type { RandomAccess } from '../objects/row-format.ts';
import type { RowSearch } from '../objects/row-search.ts';
import { readDictionary } from './dictionary.ts';
import { ENCODING } from './encodings.ts';
import { type Chunk, COLUMN, type RowGroup } from './footer.ts';
import { release } from './memory.ts';
import { DATA_V2, type Page, readPages } from './page.ts';
import { entriesOf, isByDictionary, type PageContent, readContent, rowsIn } from './page-content.ts';
import type { PlainValues } from './plain-values.ts';
import type { Leaf } from './schema.ts';
import { createSieve, type Sieve } from './sieve.ts';
import { boundsOf } from './statistics.ts';

/** A column of the file that a search reads. */
export interface SearchedLeaf {
  /** Of the column in the search. */
  readonly column: number;
  /** Of the leaf in the file. */
  readonly index: number;
  readonly sieve: Sieve;
}

/** The rows of a row group that are somebody's, in order, and whose. */
export interface FoundInGroup {
  readonly rows: ReadonlyMap<number, ReadonlySet<number>>;
  /** Leaves whose dictionary has a value that is looked for: it has to go, though perhaps no row uses it. */
  readonly named: ReadonlySet<number>;
}

/** Which columns of the file are searched. A path that leads to several columns, as to a whole object, leads to none. */
export function searchedLeaves(search: RowSearch, leaves: readonly Leaf[]): readonly SearchedLeaf[] {
  return search.columns.flatMap(({ path }, column) => {
    const index = leafAt(leaves, path);
    const leaf = leaves[index];
    return leaf === undefined ? [] : [{ column, index, sieve: createSieve(search, column, leaf) }];
  });
}

/** The number of the leaf at this path; -1: there is none. */
export function leafAt(leaves: readonly Leaf[], path: readonly string[]): number {
  const isAt = (names: readonly string[]) =>
    names.length === path.length && names.every((name, at) => name === path[at]);
  return leaves.findIndex((leaf) => isAt(leaf.seenPath) || isAt(leaf.path));
}

/** Reads the searched columns of one row group, no further than its statistics and dictionaries make necessary. */
export async function findInGroup(
  source: RandomAccess,
  group: RowGroup,
  { search, searched }: { readonly search: RowSearch; readonly searched: readonly SearchedLeaf[] },
): Promise<FoundInGroup> {
  const texts = new Map<number, string[][]>();
  const named = new Set<number>();
  for (const { column, index, sieve } of searched) {
    const chunk = group.chunks[index] as Chunk;
    const matches = await matchesIn(source, chunk, sieve);
    if (matches.isNamed) named.add(index);
    for (const { row, text } of matches.found) {
      const all = texts.get(row) ?? search.columns.map(() => []);
      all[column]?.push(text);
      texts.set(row, all);
    }
  }
  const rows = new Map<number, ReadonlySet<number>>();
  for (const row of [...texts.keys()].sort((a, b) => a - b)) {
    const whose = search.whose(texts.get(row) ?? []);
    if (whose.size > 0) rows.set(row, whose);
  }
  return { rows, named };
}

interface Matches {
  readonly found: readonly { readonly row: number; readonly text: string }[];
  readonly isNamed: boolean;
}

async function matchesIn(source: RandomAccess, chunk: Chunk, sieve: Sieve): Promise<Matches> {
  const bounds = boundsOf(chunk.metadata.struct(COLUMN.statistics), chunk.leaf);
  const found: { row: number; text: string }[] = [];
  if (bounds !== undefined && !sieve.mayBeWithin(bounds)) return { found, isNamed: false };
  let dictionary: SoughtEntries | undefined;
  let firstRow = 0;
  for await (const page of readPages(source, chunk)) {
    if (page.type === 'index') continue;
    if (page.type === 'dictionary') {
      dictionary = soughtEntries(await readDictionary(page, chunk), sieve);
      if (!dictionary.hasAny && hasOnlyDictionaryPages(chunk)) break;
      continue;
    }
    const known = rowsToldBy(page, chunk.leaf);
    if (known !== undefined && isByDictionary(page) && dictionary?.hasAny === false) {
      firstRow += known;
      continue;
    }
    const content = await readContent(page, chunk, dictionary?.size ?? 0);
    const matches =
      content.values.kind === 'plain'
        ? sieve.find(content.values.plain)
        : indexMatches(content.values.indices, dictionary);
    found.push(...rowsOf(content, matches, { firstRow, leaf: chunk.leaf }));
    firstRow += rowsIn(content);
    release(content.memory);
  }
  return { found, isNamed: dictionary?.hasAny === true };
}

interface SoughtEntries {
  readonly size: number;
  readonly hasAny: boolean;
  /** By number of entry; undefined for one that is not looked for. */
  readonly texts: readonly (string | undefined)[];
}

function soughtEntries(values: PlainValues, sieve: Sieve): SoughtEntries {
  const texts: (string | undefined)[] = new Array(values.count).fill(undefined);
  const found = sieve.find(values);
  for (const { index, text } of found) texts[index] = text;
  return { size: values.count, hasAny: found.length > 0, texts };
}

function indexMatches(indices: Uint32Array, dictionary: SoughtEntries | undefined) {
  const found: { index: number; text: string }[] = [];
  if (dictionary?.hasAny !== true) return found;
  for (let index = 0; index < indices.length; index += 1) {
    const text = dictionary.texts[indices[index] as number];
    if (text !== undefined) found.push({ index, text });
  }
  return found;
}

/** Whether the metadata says that no page has values of its own beside the dictionary. */
function hasOnlyDictionaryPages({ metadata }: Chunk): boolean {
  const stats = metadata.structs(COLUMN.encodingStats);
  return (
    stats?.every((stat) => {
      const [type, encoding] = [stat.int(1), stat.int(2)];
      return type === 2 || encoding === ENCODING.plainDictionary || encoding === ENCODING.rleDictionary;
    }) ?? false
  );
}

/** Rows that begin in a page, where its header tells. */
export function rowsToldBy(page: Page, leaf: Leaf): number | undefined {
  if (leaf.maxRepetition === 0) return entriesOf(page);
  return page.type === 'data-v2' ? page.about.int(DATA_V2.rows) : undefined;
}

/** The rows of values that were found, in order. */
function* rowsOf(
  { entries, repetition, definition }: PageContent,
  matches: readonly { readonly index: number; readonly text: string }[],
  { firstRow, leaf }: { readonly firstRow: number; readonly leaf: Leaf },
): Generator<{ row: number; text: string }> {
  if (matches.length === 0) return;
  let next = 0;
  let row = firstRow - 1;
  let value = 0;
  for (let entry = 0; entry < entries && next < matches.length; entry += 1) {
    if (repetition === undefined || repetition[entry] === 0) row += 1;
    if (definition !== undefined && definition[entry] !== leaf.maxDefinition) continue;
    const match = matches[next];
    if (match?.index === value) {
      yield { row, text: match.text };
      next += 1;
    }
    value += 1;
  }
}
