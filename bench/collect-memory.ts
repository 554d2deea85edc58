import { join } from 'node:path';
import { createApiClient } from '../packages/server/src/cli/api-client.ts';
import { readZip } from '../packages/server/test/read-zip.ts';
import { askAndWait, rowsOf, timesOf } from './ask.ts';
import type { Bench, Benchmark } from './benchmark.ts';
import { copyAndZip } from './copy-and-zip.ts';
import { judge } from './figure.ts';
import { onDatabase } from './on-database.ts';
import { createShop, serveShop } from './one-shop.ts';
import { processorTime } from './processor-time.ts';
import { peakMemoryOf } from './resident-memory.ts';
import { COPY_BY_HAND, PERSON } from './shop-of-one.ts';

const MANY = 1_000_000;
const FEW = 100_000;
const MOST_MB = 256;
/** Flat, but for what a garbage collector leaves lying for a while. */
const FLAT = 1.2;

const MOST_TIMES = 1.5;
const PAIRS = 3;

/** How much memory and time the server needs while a person with a million rows is collected and packed. */
export const collectMemory: Benchmark = {
  name: 'collect-memory',
  about: `memory and time of the server while a person with ${MANY} rows is collected and packed`,
  async run(bench) {
    const few = await collect(bench, { rows: FEW, pairs: 1 });
    const many = await collect(bench, { rows: MANY, pairs: PAIRS });
    const middle = many.pairs.toSorted((one, other) => ratioOf(one) - ratioOf(other))[PAIRS >> 1] as Pair;
    const seconds = (milliseconds: number) => (milliseconds / 1_000).toFixed(2);
    return [
      judge({
        name: 'collect-memory',
        value: many.peak,
        unit: 'MB',
        baseline: few.peak,
        goal: { value: MOST_MB, ratio: FLAT },
        measured: `the most resident memory (VmHWM) of a fresh server process over a whole access request of a person with ${MANY} rows in six tables: collected, sealed, packed`,
        against: `the same with ${FEW} rows, in a fresh process too`,
        notes: [
          `the server at rest: ${many.rest.toFixed(0)} MB`,
          `the package has ${(many.bytes / 1_000_000).toFixed(1)} MB; ${many.times}`,
        ],
      }),
      judge({
        name: 'collect-time',
        value: middle.milliseconds / 1_000,
        unit: 's',
        baseline: byHandOf(middle) / 1_000,
        goal: { ratio: MOST_TIMES },
        measured: `that access request of ${MANY} rows, from the call of the API to its end: found, collected, sealed, stored, packed, sealed once more; the pair in the middle of ${PAIRS} that ran in turns`,
        against:
          'COPY (…) TO STDOUT of the same rows, table after table, and the bytes of the files in the package deflated as a zip is into one file that is then on the disk; nothing is looked for, sealed, hashed, stored in between or made into JSON and CSV',
        notes: [
          `${(many.contentBytes / 1_000_000).toFixed(1)} MB in the files of the package; by hand ${middle.byHand.copying.toFixed(0)} ms were COPY and ${middle.byHand.zipping.toFixed(0)} ms the zip`,
          `all pairs: ${many.pairs.map((pair) => `${seconds(pair.milliseconds)} s and ${seconds(byHandOf(pair))} s`).join(', ')}`,
          `on processors, of all programs: ${many.pairs.map((pair) => `${seconds(pair.processor)} s and ${seconds(pair.byHand.processor)} s`).join(', ')}`,
        ],
      }),
    ];
  },
};

/** The request and the same by hand, one after the other, so that other work on the machine slows both. */
interface Pair {
  readonly milliseconds: number;
  /** On processors, of all programs of the benchmark. */
  readonly processor: number;
  readonly byHand: {
    readonly copying: number;
    readonly zipping: number;
    readonly rows: number;
    readonly processor: number;
  };
}

const byHandOf = ({ byHand }: Pair) => byHand.copying + byHand.zipping;
const ratioOf = (pair: Pair) => pair.milliseconds / byHandOf(pair);

async function collect(
  bench: Bench,
  { rows, pairs: count }: { readonly rows: number; readonly pairs: number },
) {
  const name = `collect_${rows}`;
  bench.say(`making a shop in which one person has ${rows} rows`);
  await createShop(bench, { name, rows });
  const { server, url, key } = await serveShop(bench, { name });
  try {
    const rest = peakMemoryOf(server.pid);
    const first = await collectOnce(bench, { url, key, name, rows });
    // Of the first request alone: a process that goes on is another question.
    const peak = peakMemoryOf(server.pid);
    const pairs = [first.pair];
    while (pairs.length < count) pairs.push((await collectOnce(bench, { url, key, name, rows })).pair);
    return { ...first, rest, peak, pairs };
  } finally {
    await server.end('SIGTERM');
  }
}

async function collectOnce(
  bench: Bench,
  of: { readonly url: string; readonly key: string; readonly name: string; readonly rows: number },
) {
  const { url, key, name, rows } = of;
  bench.say(`collecting and packing ${rows} rows`);
  const start = processorTime();
  const { milliseconds, request, tasks } = await askAndWait({ url, key }, { right: 'access', email: PERSON });
  const processor = processorTime() - start;
  const collected = rowsOf(tasks, 'collect');
  if (collected !== rows) throw new Error(`${collected} rows were collected instead of ${rows}.`);
  const opened = await createApiClient({ url, key }).openPackage(request.id, 'zip');
  const files = [...readZip(Buffer.from(await opened.arrayBuffer())).values()];
  const byHand = await collectByHand(bench, { name, files });
  if (byHand.rows !== rows) throw new Error(`${byHand.rows} rows were copied by hand instead of ${rows}.`);
  return {
    pair: { milliseconds, processor, byHand } satisfies Pair,
    contentBytes: files.reduce((sum, { length }) => sum + length, 0),
    bytes: request.package?.bytes ?? 0,
    times: timesOf(tasks),
  };
}

async function collectByHand(
  bench: Bench,
  { name, files }: { readonly name: string; readonly files: readonly Buffer[] },
): Promise<Pair['byHand']> {
  const postgres = await bench.postgres();
  return await onDatabase(postgres.superuserUrl(name), async (client) => {
    const start = processorTime();
    const done = await copyAndZip(client, {
      selects: COPY_BY_HAND,
      files,
      to: join(bench.folder(name), 'by-hand'),
    });
    return { ...done, processor: processorTime() - start };
  });
}
