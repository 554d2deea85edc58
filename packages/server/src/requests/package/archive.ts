import { csvLine } from '../../foundation/index.ts';
import type { ArchiveFile, Block } from './archive-file.ts';
import { uniqueNames } from './file-name.ts';
import { type PageCollection, pageBlocks, pageCell } from './index-page.ts';
import { type ManifestInput, manifestBlocks, type PackagedCollection } from './manifest.ts';
import { type ColumnTypes, rowSchema } from './row-schema.ts';

/** Rows that the page for people shows of each collection; the files hold all. */
const PAGE_ROWS = 50;
/** Not worth the work of a compressor of their own, of which most packages would have a dozen. */
const FEW_ROWS = 20;

/**
 * The files of a package: `data/<system>/<collection>.json` and `.csv` for machines, of a portability with `.schema.json` (JSON
 * Schema) beside them, `index.html` for people, `manifest.json`
 * last, with the SHA-256 of every other file.
 */
export function packageFiles(input: ManifestInput): readonly ArchiveFile[] {
  const files: ArchiveFile[] = [];
  const page: PageCollection[] = [];
  const systemName = uniqueNames();
  const collectionNames = new Map<string, (text: string) => string>();
  for (const collection of input.collections) {
    const folder = systemName(collection.system);
    const naming = collectionNames.get(folder) ?? uniqueNames();
    collectionNames.set(folder, naming);
    const path = `data/${folder}/${naming(collection.name)}`;
    // The first rows are kept when the file is written; work that went on elsewhere reads them again.
    let first: readonly (readonly string[])[] | undefined;
    const keep = (rows: readonly (readonly string[])[]) => {
      first = rows;
    };
    page.push({ ...collection, path, shown: async () => first ?? firstRows(collection) });
    const compress = collection.rows > FEW_ROWS;
    const atMostBytes = mostBytes(collection);
    const text = { compress, atMostBytes };
    const { files: written } = collection;
    const csv = written?.csv;
    files.push(
      written === undefined
        ? { path: `${path}.json`, ...text, blocks: (from) => jsonBlocks(collection, from, keep) }
        : {
            path: `${path}.json`,
            content: { ...written.json, read: (from) => jsonPieces(collection, written, from, keep) },
          },
      csv === undefined
        ? { path: `${path}.csv`, ...text, blocks: (from) => csvBlocks(collection, from) }
        : { path: `${path}.csv`, content: csv },
    );
    if (collection.types !== undefined) files.push(schemaFile(path, collection.types, collection));
  }
  const pageInput = { ...input, collections: page };
  const names = namesBytes(input);
  files.push({
    path: 'index.html',
    compress: true,
    atMostBytes: PAGE_BYTES + names + cells(input) * CELL_BYTES,
    blocks: (from) => pageBlocks(pageInput, from),
  });
  files.push({
    path: 'manifest.json',
    compress: true,
    atMostBytes: PAGE_BYTES + names + files.length * FILE_BYTES,
    blocks: (from, before) => manifestBlocks(input, before, from),
  });
  return files;
}

/** The pieces as they are, of which the first rows are kept. */
async function* jsonPieces(
  collection: PackagedCollection,
  { json, rowsOf }: NonNullable<PackagedCollection['files']>,
  from: number,
  keep: (rows: readonly (readonly string[])[]) => void,
): AsyncIterable<Buffer> {
  const shown: (readonly string[])[] = [];
  for await (const piece of json.read(from)) {
    if (from === 0 && shown.length < PAGE_ROWS) {
      for (const row of rowsOf(piece).slice(0, PAGE_ROWS - shown.length))
        shown.push(pageRow(collection, row));
    }
    yield piece;
  }
  if (from === 0) keep(shown);
}

/** An array with one row a line. Block 0 is what stands before the rows; one follows for each stretch of rows. */
async function* jsonBlocks(
  collection: PackagedCollection,
  from: number,
  keep: (rows: readonly (readonly string[])[]) => void,
): AsyncIterable<Block> {
  if (from === 0) yield { text: '[', last: false };
  let stretch = Math.max(from - 1, 0);
  const shown: (readonly string[])[] = [];
  for await (const rows of collection.read(stretch)) {
    if (from === 0 && shown.length < PAGE_ROWS) {
      for (const row of rows.slice(0, PAGE_ROWS - shown.length)) shown.push(pageRow(collection, row));
    }
    yield { text: `${stretch === 0 ? '\n' : ',\n'}${rows.join(',\n')}`, last: false };
    stretch += 1;
  }
  if (from === 0) keep(shown);
  yield { text: '\n]\n', last: true };
}

/** Block 0 is the header; one follows for each stretch of rows, and an empty one. */
async function* csvBlocks(collection: PackagedCollection, from: number): AsyncIterable<Block> {
  if (from === 0) yield { text: csvLine(collection.columns), last: false };
  for await (const rows of collection.read(Math.max(from - 1, 0))) {
    const lines = rows.map((text) => {
      const row = JSON.parse(text);
      return csvLine(collection.columns.map((column) => row[column]));
    });
    yield { text: lines.join(''), last: false };
  }
  yield { text: '', last: true };
}

function schemaFile(
  path: string,
  types: ColumnTypes,
  { name, required = [] }: Pick<PackagedCollection, 'name' | 'required'>,
): ArchiveFile {
  const text = rowSchema({ name, types, required });
  return {
    path: `${path}.schema.json`,
    compress: false,
    atMostBytes: Buffer.byteLength(text),
    async *blocks(from) {
      yield { text: from === 0 ? text : '', last: true };
    },
  };
}

async function firstRows(collection: PackagedCollection): Promise<readonly (readonly string[])[]> {
  const shown: (readonly string[])[] = [];
  for await (const rows of collection.read(0)) {
    for (const row of rows.slice(0, PAGE_ROWS - shown.length)) shown.push(pageRow(collection, row));
    if (shown.length >= PAGE_ROWS) break;
  }
  return shown;
}

/** `text`: a row as JSON. */
function pageRow(collection: PackagedCollection, text: string): readonly string[] {
  const row = JSON.parse(text);
  return collection.columns.map((column) => pageCell(row[column]));
}

/**
 * No file of the collection is larger. JSON is what was stored and two bytes a row; CSV at worst doubles every byte (all quotes),
 * adds four a cell (quotes, apostrophe, comma) and has a cell for every column.
 */
function mostBytes({ bytes, rows, columns }: PackagedCollection): number | undefined {
  if (bytes === undefined) return undefined;
  const header = columns.reduce((sum, column) => sum + 2 * Buffer.byteLength(column) + 4, 2);
  return header + 2 * bytes + rows * (4 * columns.length + 2) + 16;
}

/** More than what the page and the manifest say beside names, cells and files. */
const PAGE_BYTES = 64 * 1024;
/** More than a cell of the page: 500 characters, each of up to six bytes, and what stands around them. */
const CELL_BYTES = 4 * 1024;
/** More than the manifest says of a file or a collection beside its name. */
const FILE_BYTES = 2 * 1024;

function cells(input: ManifestInput): number {
  return input.collections.reduce((sum, { columns }) => sum + (columns.length + 1) * (PAGE_ROWS + 1), 0);
}

/** More than all names take where they are shown, however they are escaped. */
function namesBytes(input: ManifestInput): number {
  const named = input.collections.reduce(
    (sum, { system, name, columns }) => sum + [system, name, ...columns].join('').length,
    0,
  );
  return (
    32 *
    (named + input.notIncluded.reduce((sum, { system, reason }) => sum + system.length + reason.length, 0))
  );
}
