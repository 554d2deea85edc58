import { codecOf, type Packer, unpackPage } from './codecs.ts';
import { ENCODING, readValues, withLength, withoutLength, writeValues } from './encodings.ts';
import { type Chunk, COLUMN } from './footer.ts';
import { isOneRun, readHybrid, writeHybrid, writeOneRun } from './hybrid.ts';
import { changedPage, DATA, DATA_V2, type Page } from './page.ts';
import { type PlainValues, plainValues } from './plain-values.ts';
import { damaged, unsupported } from './refusals.ts';

/** What a data page says. */
export interface PageContent {
  /** Values, nulls and empty lists: as many as there are levels. */
  readonly entries: number;
  /** 0 where a row begins; undefined where every entry is a row. */
  readonly repetition: Uint8Array | undefined;
  /** How much of the path to the value is there; undefined where every entry has a value. */
  readonly definition: Uint8Array | undefined;
  readonly values: PageValues;
  /** What the values are part of; to be released when they are no longer needed. */
  readonly memory: Buffer;
}

export type PageValues =
  | { readonly kind: 'plain'; readonly encoding: number; readonly plain: PlainValues }
  /** Numbers of dictionary entries. */
  | { readonly kind: 'indices'; readonly indices: Uint32Array };

/** Entries that a data page says that it has. */
export function entriesOf(page: Page): number {
  const entries = page.about.int(DATA.values);
  if (entries === undefined || entries < 0) throw damaged('a page does not say how many values it has');
  return entries;
}

export function encodingOf(page: Page): number {
  return page.about.int(page.type === 'data' ? DATA.encoding : DATA_V2.encoding) ?? -1;
}

export function isByDictionary(page: Page): boolean {
  const encoding = encodingOf(page);
  return encoding === ENCODING.plainDictionary || encoding === ENCODING.rleDictionary;
}

/** How many values are there. */
export function countOf(values: PageValues): number {
  return values.kind === 'plain' ? values.plain.count : values.indices.length;
}

/** Unpacks and reads a data page. `dictionarySize`: entries of the dictionary; a page that names others is damaged. */
export async function readContent(page: Page, chunk: Chunk, dictionarySize: number): Promise<PageContent> {
  const { leaf } = chunk;
  const entries = entriesOf(page);
  if (entries > 2 ** 31) throw damaged('a page says that it has too many values');
  const parts = await unpackedParts(page, chunk);
  const repetition = levelsOf(parts.repetition, { entries, most: leaf.maxRepetition, same: 0 });
  const definition = levelsOf(parts.definition, {
    entries,
    most: leaf.maxDefinition,
    same: leaf.maxDefinition,
  });
  const count = definition === undefined ? entries : countEqual(definition, leaf.maxDefinition);
  return {
    entries,
    repetition,
    definition,
    values: valuesOf(page, parts.values, { count, chunk, dictionarySize }),
    memory: parts.memory,
  };
}

interface Parts {
  readonly memory: Buffer;
  readonly repetition: Buffer;
  readonly definition: Buffer;
  readonly values: Buffer;
}

const NONE = Buffer.alloc(0);

async function unpackedParts(page: Page, { metadata, leaf }: Chunk): Promise<Parts> {
  const codec = codecOf(metadata.int(COLUMN.codec));
  if (page.type === 'data-v2') {
    const repetitionBytes = page.about.int(DATA_V2.repetitionBytes) ?? 0;
    const levelBytes = repetitionBytes + (page.about.int(DATA_V2.definitionBytes) ?? 0);
    const length = page.unpacked - levelBytes;
    if (levelBytes > page.body.length || length < 0)
      throw damaged('a page has longer levels than it has bytes');
    const packed = page.body.subarray(levelBytes);
    const isPacked = page.about.bool(DATA_V2.isPacked) !== false && packed.length > 0;
    const values = isPacked ? await unpackPage(codec, packed, length) : packed;
    return {
      memory: values,
      repetition: page.body.subarray(0, repetitionBytes),
      definition: page.body.subarray(repetitionBytes, levelBytes),
      values,
    };
  }
  const memory = await unpackPage(codec, page.body, page.unpacked);
  let rest = memory;
  const part = (most: number, field: number): Buffer => {
    if (most === 0) return NONE;
    if (page.about.int(field) !== ENCODING.rle)
      throw unsupported('a page with levels in an encoding that is not known');
    const levels = withoutLength(rest);
    rest = rest.subarray(4 + levels.length);
    return levels;
  };
  const repetition = part(leaf.maxRepetition, DATA.repetition);
  const definition = part(leaf.maxDefinition, DATA.definition);
  return { memory, repetition, definition, values: rest };
}

function levelsOf(
  bytes: Buffer,
  { entries, most, same }: { readonly entries: number; readonly most: number; readonly same: number },
): Uint8Array | undefined {
  if (most === 0 || entries === 0) return undefined;
  const width = widthOf(most);
  if (isOneRun(bytes, width, entries, same)) return undefined;
  const levels = readHybrid(bytes, width, new Uint8Array(entries));
  if (2 ** width - 1 > most && levels.some((level) => level > most))
    throw damaged('a page has a level that its schema does not have');
  return levels;
}

/** Bits of the largest number. */
export function widthOf(most: number): number {
  return most === 0 ? 0 : 32 - Math.clz32(most);
}

function countEqual(levels: Uint8Array, level: number): number {
  let count = 0;
  for (let index = 0; index < levels.length; index += 1) if (levels[index] === level) count += 1;
  return count;
}

function valuesOf(
  page: Page,
  bytes: Buffer,
  {
    count,
    chunk,
    dictionarySize,
  }: { readonly count: number; readonly chunk: Chunk; readonly dictionarySize: number },
): PageValues {
  if (!isByDictionary(page)) {
    const encoding = encodingOf(page);
    // Writers differ in what they leave where there is no value.
    if (count === 0) return { kind: 'plain', encoding, plain: plainValues([], chunk.leaf) };
    return { kind: 'plain', encoding, plain: readValues(encoding, bytes, { count, leaf: chunk.leaf }) };
  }
  const width = bytes[0] ?? 0;
  if (width > 32) throw damaged('a page names entries of its dictionary in too many bits');
  const indices = readHybrid(bytes.subarray(1), width, new Uint32Array(count));
  for (let at = 0; at < count; at += 1)
    if ((indices[at] as number) >= dictionarySize)
      throw damaged('a page names an entry that its dictionary does not have');
  return { kind: 'indices', indices };
}

/** The page with this content: the same type, encoding and codec, and no statistics of its own. */
export async function writeContent(
  page: Page,
  content: PageContent,
  {
    chunk,
    packer,
    dictionarySize,
  }: { readonly chunk: Chunk; readonly packer: Packer; readonly dictionarySize: number },
): Promise<Page> {
  const { leaf } = chunk;
  const repetition = levelBytes(content.repetition, {
    entries: content.entries,
    most: leaf.maxRepetition,
    same: 0,
  });
  const definition = levelBytes(content.definition, {
    entries: content.entries,
    most: leaf.maxDefinition,
    same: leaf.maxDefinition,
  });
  const values = valueBytes(content.values, { chunk, dictionarySize });
  const former = { packed: page.body.length, unpacked: page.unpacked };
  if (page.type === 'data-v2') {
    const length = lengthOf(values);
    const isPacked = page.about.bool(DATA_V2.isPacked) !== false && length > 0;
    const about = page.about
      .copy()
      .set(DATA_V2.values, 'i32', content.entries)
      .set(DATA_V2.nulls, 'i32', content.entries - countOf(content.values))
      .set(DATA_V2.rows, 'i32', rowsIn(content))
      .set(DATA_V2.definitionBytes, 'i32', definition.length)
      .set(DATA_V2.repetitionBytes, 'i32', repetition.length)
      .delete(DATA_V2.statistics);
    const packed = isPacked ? [await packer.pack(values, former)] : values;
    return changedPage(page, {
      about,
      body: Buffer.concat([repetition, definition, ...packed]),
      unpacked: repetition.length + definition.length + length,
    });
  }
  const parts = [
    ...(leaf.maxRepetition > 0 ? [withLength(repetition)] : []),
    ...(leaf.maxDefinition > 0 ? [withLength(definition)] : []),
    ...values,
  ];
  const about = page.about.copy().set(DATA.values, 'i32', content.entries).delete(DATA.statistics);
  return changedPage(page, { about, body: await packer.pack(parts, former), unpacked: lengthOf(parts) });
}

function lengthOf(parts: readonly Buffer[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** Rows that begin in it. */
export function rowsIn({ entries, repetition }: PageContent): number {
  return repetition === undefined ? entries : countEqual(repetition, 0);
}

function levelBytes(
  levels: Uint8Array | undefined,
  { entries, most, same }: { readonly entries: number; readonly most: number; readonly same: number },
): Buffer {
  if (most === 0) return NONE;
  const width = widthOf(most);
  return levels === undefined ? writeOneRun(same, entries, width) : writeHybrid(levels, width);
}

function valueBytes(
  values: PageValues,
  { chunk, dictionarySize }: { readonly chunk: Chunk; readonly dictionarySize: number },
): readonly Buffer[] {
  if (values.kind === 'plain') return writeValues(values.encoding, values.plain, chunk.leaf);
  const width = widthOf(Math.max(dictionarySize - 1, 0));
  return [Buffer.from([width]), writeHybrid(values.indices, width)];
}
