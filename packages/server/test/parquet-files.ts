import { closeSync, openSync, readSync, statSync, writeFileSync } from 'node:fs';
import type { RandomAccess, RowChange, RowFile } from '../src/connectors/objects/row-format.ts';
import { createRowSearch, type RowColumn, type RowSearch } from '../src/connectors/objects/row-search.ts';
import { codecOf, unpackPage } from '../src/connectors/parquet/codecs.ts';
import { COLUMN, type Footer, type RowGroup, readFooter } from '../src/connectors/parquet/footer.ts';
import { DATA_V2, readPages } from '../src/connectors/parquet/page.ts';
import { parquetFormat } from '../src/connectors/parquet/parquet-format.ts';

/** A file as a source that remembers what was read of it. */
export function fileSource(path: string): RandomAccess & { readonly bytesRead: () => number } {
  const { size } = statSync(path);
  let read = 0;
  return {
    size,
    bytesRead: () => read,
    async read(offset, length) {
      const bytes = Buffer.alloc(length);
      const file = openSync(path, 'r');
      const done = readSync(file, bytes, 0, length, offset);
      closeSync(file);
      if (done !== length) throw new Error('The file ends before what was asked for.');
      read += length;
      return bytes;
    },
  };
}

export function bytesSource(bytes: Buffer): RandomAccess {
  return {
    size: bytes.length,
    async read(offset, length) {
      if (offset < 0 || offset + length > bytes.length) throw new Error('It was read outside of the file.');
      return Buffer.from(bytes.subarray(offset, offset + length));
    },
  };
}

/** A search for people by the values that they have in one column; person n has the nth. */
export function searchBy(
  path: readonly string[],
  values: readonly string[],
  comparing: Partial<Omit<RowColumn, 'path'>> = {},
): RowSearch {
  const column: RowColumn = { path, match: 'exact', ...comparing };
  return createRowSearch(values.map((value, who) => ({ who, all: [{ column, value }] })));
}

export function openFile(path: string, search: RowSearch): Promise<RowFile> {
  return parquetFormat.open(fileSource(path), { search, signal: new AbortController().signal });
}

/** Writes a file anew beside itself, in `into`. */
export async function rewriteInto(
  into: string,
  {
    from,
    search,
    change = { kind: 'drop' },
  }: { readonly from: string; readonly search: RowSearch; readonly change?: RowChange },
) {
  const parts: Buffer[] = [];
  const file = await openFile(from, search);
  const rewritten = await file.rewrite(change, async (part) => {
    parts.push(Buffer.from(part));
  });
  writeFileSync(into, Buffer.concat(parts));
  return rewritten;
}

export interface ReadFile {
  readonly footer: Footer;
  readonly source: RandomAccess;
}

export async function readParquet(path: string): Promise<ReadFile> {
  const source = fileSource(path);
  return { footer: await readFooter(source), source };
}

/** The bytes of the columns of a row group. */
export async function groupBytes({ source }: ReadFile, group: RowGroup): Promise<Buffer> {
  const parts = await Promise.all(group.chunks.map(({ offset, length }) => source.read(offset, length)));
  return Buffer.concat(parts);
}

/** Everything that can be read in a file: as it lies, and its pages unpacked. What is not here is nowhere in it. */
export async function everythingIn(path: string): Promise<Buffer> {
  const { footer, source } = await readParquet(path);
  const parts: Buffer[] = [Buffer.from(await source.read(0, source.size))];
  for (const { chunks } of footer.rowGroups) {
    for (const chunk of chunks) {
      const codec = codecOf(chunk.metadata.int(COLUMN.codec));
      for await (const page of readPages(source, chunk)) {
        const levels =
          page.type === 'data-v2'
            ? (page.about.int(DATA_V2.definitionBytes) ?? 0) + (page.about.int(DATA_V2.repetitionBytes) ?? 0)
            : 0;
        const isPacked = page.type !== 'data-v2' || page.about.bool(DATA_V2.isPacked) !== false;
        const packed = page.body.subarray(levels);
        parts.push(
          isPacked && packed.length > 0 ? await unpackPage(codec, packed, page.unpacked - levels) : packed,
        );
      }
    }
  }
  return Buffer.concat(parts);
}
