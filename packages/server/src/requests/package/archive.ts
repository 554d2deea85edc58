import { createHash } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import yazl from 'yazl';
import { csvLine } from '../../foundation/index.ts';
import { uniqueNames } from './file-name.ts';
import { type PageCollection, pageCell, renderIndexPage } from './index-page.ts';
import {
  type ManifestInput,
  type PackagedCollection,
  type PackagedFile,
  renderManifest,
} from './manifest.ts';

/** Rows that the page for people shows of each collection; the files hold all. */
const PAGE_ROWS = 50;
/** Not worth the work of a compressor of their own, of which most packages would have a dozen. */
const FEW_ROWS = 20;
const CHUNK_CHARACTERS = 64 * 1024;

export interface ArchiveOptions extends ManifestInput {
  readonly signal: AbortSignal;
}

/**
 * The package as a stream of zip bytes (zip64 where needed): `index.html` for people, `data/<system>/<collection>.json` and
 * `.csv` for machines, `manifest.json` last, with the SHA-256 of every other file.
 */
export async function* createArchive(options: ArchiveOptions): AsyncIterable<Buffer> {
  const zip = new yazl.ZipFile();
  const files: PackagedFile[] = [];
  const page: PageCollection[] = [];
  const failure = new AbortController();
  const add = (path: string, content: () => AsyncIterable<string>, compress = true): void => {
    zip.addReadStreamLazy(path, { mtime: options.builtAt, mode: 0o100644, compress }, (give) => {
      const stream = Readable.from(hashed(path, content(), files), { objectMode: false });
      stream.on('error', (error) => failure.abort(error));
      give(null, stream);
    });
  };

  const systemName = uniqueNames();
  const collectionNames = new Map<string, (text: string) => string>();
  for (const collection of options.collections) {
    const folder = systemName(collection.system);
    const naming = collectionNames.get(folder) ?? uniqueNames();
    collectionNames.set(folder, naming);
    const path = `data/${folder}/${naming(collection.name)}`;
    const shown: (readonly string[])[] = [];
    page.push({ ...collection, path, shown });
    const compress = collection.rows > FEW_ROWS;
    add(`${path}.json`, () => jsonFile(collection, shown), compress);
    add(`${path}.csv`, () => csvFile(collection), compress);
  }
  add('index.html', async function* () {
    yield renderIndexPage({ ...options, collections: page });
  });
  add('manifest.json', async function* () {
    yield renderManifest(options, files);
  });
  zip.end();

  const output = zip.outputStream.pipe(new PassThrough());
  zip.on('error', (error) => output.destroy(error));
  failure.signal.addEventListener('abort', () => output.destroy(failure.signal.reason));
  options.signal.addEventListener('abort', () => output.destroy(options.signal.reason), { once: true });
  for await (const chunk of output) yield chunk;
}

/** An array with one row a line; keeps the first rows for the page, which is written later. */
async function* jsonFile(
  collection: PackagedCollection,
  shown: (readonly string[])[],
): AsyncIterable<string> {
  let text = '[';
  let first = true;
  for await (const row of collection.read()) {
    if (shown.length < PAGE_ROWS) shown.push(collection.columns.map((column) => pageCell(row[column])));
    text += `${first ? '\n' : ',\n'}${JSON.stringify(row)}`;
    first = false;
    if (text.length >= CHUNK_CHARACTERS) {
      yield text;
      text = '';
    }
  }
  yield `${text}\n]\n`;
}

async function* csvFile(collection: PackagedCollection): AsyncIterable<string> {
  let text = csvLine(collection.columns);
  for await (const row of collection.read()) {
    text += csvLine(collection.columns.map((column) => row[column]));
    if (text.length >= CHUNK_CHARACTERS) {
      yield text;
      text = '';
    }
  }
  yield text;
}

async function* hashed(
  path: string,
  content: AsyncIterable<string>,
  files: PackagedFile[],
): AsyncIterable<Buffer> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const text of content) {
    const chunk = Buffer.from(text);
    hash.update(chunk);
    bytes += chunk.length;
    yield chunk;
  }
  files.push({ path, bytes, sha256: hash.digest('hex') });
}
