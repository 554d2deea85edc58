import { askAndWait, rowsOf, timesOf } from './ask.ts';
import type { Bench, Benchmark } from './benchmark.ts';
import { judge } from './figure.ts';
import { createShop, serveShop } from './one-shop.ts';
import { peakMemoryOf } from './resident-memory.ts';
import { PERSON } from './shop-of-one.ts';

const MANY = 1_000_000;
const FEW = 100_000;
const MOST_MB = 256;
/** Flat, but for what a garbage collector leaves lying for a while. */
const FLAT = 1.2;

/** How much memory the server needs while a person with a million rows is collected and packed. */
export const collectMemory: Benchmark = {
  name: 'collect-memory',
  about: `memory of the server while a person with ${MANY} rows is collected and packed`,
  async run(bench) {
    const few = await collect(bench, FEW);
    const many = await collect(bench, MANY);
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
    ];
  },
};

async function collect(bench: Bench, rows: number) {
  const name = `collect_${rows}`;
  bench.say(`making a shop in which one person has ${rows} rows`);
  await createShop(bench, { name, rows });
  const { server, url, key } = await serveShop(bench, { name });
  try {
    const rest = peakMemoryOf(server.pid);
    bench.say(`collecting and packing ${rows} rows`);
    const { request, tasks } = await askAndWait({ url, key }, { right: 'access', email: PERSON });
    const collected = rowsOf(tasks, 'collect');
    if (collected !== rows) throw new Error(`${collected} rows were collected instead of ${rows}.`);
    return {
      rest,
      peak: peakMemoryOf(server.pid),
      bytes: request.package?.bytes ?? 0,
      times: timesOf(tasks),
    };
  } finally {
    await server.end('SIGTERM');
  }
}
