import type { BlobRef, BlobStore } from '../blob-store.ts';
import type { FileContent } from '../package/archive-file.ts';
import type { PackagedCollection } from '../package/manifest.ts';
import type { FileSummary } from './collected-file.ts';
import { type CollectedCollection, partOf } from './collection-writer.ts';
import { unpackPiece } from './pack-piece.ts';

/** What was collected of one collection, as a package is made of it. */
export function readCollected(
  blobs: BlobStore,
  blob: BlobRef,
  { name, files }: CollectedCollection,
): Pick<PackagedCollection, 'read' | 'files'> {
  if (files === undefined) return { read: (from) => readLines(blobs, blob, { name, from }) };
  const { number, json, csv } = files;
  const contentOf = (summary: FileSummary, part: string): FileContent => ({
    ...summary,
    read: (from) => blobs.read(blob, part, { form: 'packed', from }),
  });
  const jsonContent = contentOf(json, partOf(number, 'json'));
  return {
    read: (from) => readRows(jsonContent, from),
    files: {
      rowsOf: (piece) => rowsOf(unpackPiece(piece, json.deflated)),
      json: jsonContent,
      csv: csv === undefined ? undefined : contentOf(csv, partOf(number, 'csv')),
    },
  };
}

async function* readRows(json: FileContent, from: number): AsyncIterable<readonly string[]> {
  for await (const piece of json.read(from)) yield rowsOf(unpackPiece(piece, json.deflated));
}

/** The rows that stand in a piece of the JSON file, each on a line of its own, beside what stands between them. */
function rowsOf(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    return line.endsWith(',') ? line.slice(0, -1) : line;
  });
}

/** As they lie of an older Habeas: JSON texts, one a line. */
async function* readLines(
  blobs: BlobStore,
  blob: BlobRef,
  { name, from }: { readonly name: string; readonly from: number },
): AsyncIterable<readonly string[]> {
  for await (const piece of blobs.read(blob, name, { form: 'plain', from })) {
    const lines = piece.toString().split('\n');
    // Each line has its end, so that there is nothing behind the last one.
    lines.pop();
    yield lines;
  }
}
