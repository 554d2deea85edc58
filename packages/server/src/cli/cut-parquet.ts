import type { RandomAccess } from '../connectors/index.ts';
import { parquetLines } from '../consent/index.ts';
import type { ListPiece } from './cut-list.ts';

export interface CutParquetOptions {
  readonly rows: number;
  readonly bytes: number;
  /** Rows before it are left out. */
  readonly fromLine: number;
  readonly signal: AbortSignal;
}

/** Cuts a Parquet file of what people said into pieces of lines of JSON, a line for each row: its line is the row's number, from 1. */
export async function* cutParquet(
  source: RandomAccess,
  { rows: mostRows, bytes: mostBytes, fromLine, signal }: CutParquetOptions,
): AsyncGenerator<ListPiece, void, undefined> {
  let lines: string[] = [];
  let size = 0;
  let row = 1;
  const piece = (): ListPiece => ({
    body: Buffer.from(lines.join('')),
    firstLine: row - lines.length,
    nextLine: row,
  });
  for await (const line of parquetLines(source, { signal })) {
    if (row < fromLine) {
      row += 1;
      continue;
    }
    lines.push(line);
    size += Buffer.byteLength(line);
    row += 1;
    if (lines.length < mostRows && size < mostBytes) continue;
    yield piece();
    lines = [];
    size = 0;
  }
  if (lines.length > 0) yield piece();
}
