/** Erases the rows of people from a Parquet file, in a process of its own whose memory can be measured. */
import '../packages/server/src/small-heap.ts';
import { open } from 'node:fs/promises';
import { createRowSearch } from '../packages/server/src/connectors/objects/row-search.ts';
import { parquetFormat } from '../packages/server/src/connectors/parquet/parquet-format.ts';
import { peakMemoryOf } from './resident-memory.ts';
import { timed } from './statistics.ts';

/** What one run of this file prints. */
export interface ParquetRun {
  readonly milliseconds: number;
  readonly rows: number;
  /** VmHWM in MB. */
  readonly peak: number;
}

const [from = '', into = '', column = '', values = ''] = process.argv.slice(2);
const search = createRowSearch(
  values
    .split(',')
    .map((value, who) => ({ who, all: [{ column: { path: [column], match: 'exact' }, value }] })),
);
const { milliseconds, result: rows } = await timed(erase);
const run: ParquetRun = { milliseconds, rows, peak: peakMemoryOf(process.pid) };
process.stdout.write(`${JSON.stringify(run)}\n`);

async function erase(): Promise<number> {
  await using old = await open(from);
  await using made = await open(into, 'w');
  const { size } = await old.stat();
  const source = {
    size,
    async read(offset: number, length: number) {
      const bytes = Buffer.allocUnsafeSlow(length);
      const { bytesRead } = await old.read(bytes, 0, length, offset);
      if (bytesRead !== length) throw new Error('The file is shorter than it was.');
      return bytes;
    },
  };
  const file = await parquetFormat.open(source, { search, signal: new AbortController().signal });
  const { rows } = await file.rewrite({ kind: 'drop' }, async (bytes) => {
    for (let done = 0; done < bytes.length; ) done += (await made.write(bytes, done)).bytesWritten;
  });
  return rows;
}
