import { askAndWait, rowsOf, timesOf } from './ask.ts';
import type { Bench, Benchmark } from './benchmark.ts';
import { judge } from './figure.ts';
import { createDatabase, onDatabase } from './on-database.ts';
import { createShop, serveShop } from './one-shop.ts';
import { ERASE_BY_HAND, PERSON } from './shop-of-one.ts';
import { median, timed } from './statistics.ts';

const ROWS = 100_000;
const RUNS = 5;
const TEMPLATE = 'shop_template';
const COPY = 'shop_copy';
/** Both look for somebody unknown first, so that neither pays for a new connection and what it has to read of the new copy. */
const NOBODY = 'nobody@example.org';

/** How long it takes to erase one person who has 100,000 rows in six tables. */
export const eraseRows: Benchmark = {
  name: 'erase-rows',
  about: 'erase one person who has 100,000 rows in six tables',
  async run(bench) {
    bench.say(`making a shop in which one person has ${ROWS} rows`);
    await createShop(bench, { name: TEMPLATE, rows: ROWS });
    await copyShop(bench);
    const habeas = await serveShop(bench, { name: COPY });
    try {
      const byHand: number[] = [];
      const byHabeas: { readonly milliseconds: number; readonly times: string }[] = [];
      for (let run = 1; run <= RUNS; run += 1) {
        bench.say(`run ${run} of ${RUNS}`);
        await copyShop(bench);
        byHand.push(await eraseByHand(bench));
        await copyShop(bench);
        byHabeas.push(await eraseByHabeas(bench, habeas));
      }
      const typical = byHabeas.toSorted((one, other) => one.milliseconds - other.milliseconds)[RUNS >> 1];
      return [
        judge({
          name: 'erase-rows',
          value: median(byHabeas.map(({ milliseconds }) => milliseconds)) / 1_000,
          unit: 's',
          baseline: median(byHand) / 1_000,
          goal: { ratio: 2 },
          measured: `an erasure from the call of the API to its end: ${ROWS} keys found, sealed and stored, rows erased, database read again; median of ${RUNS}`,
          against:
            'the hand-written SQL that deletes the same rows in one transaction, on a fresh copy of the same database, which finds nothing before, remembers nothing and looks at nothing afterwards',
          notes: [`the run in the middle: ${typical?.times}`],
        }),
      ];
    } finally {
      await habeas.server.end('SIGTERM');
    }
  },
};

/** A fresh copy, with everything written to the disk, so that no run pays for the one before. */
async function copyShop(bench: Bench): Promise<void> {
  const server = await bench.postgres();
  await createDatabase(server.superuserUrl(), COPY, TEMPLATE);
  await onDatabase(server.superuserUrl(), (client) => client.query('checkpoint'));
}

async function eraseByHand(bench: Bench): Promise<number> {
  const server = await bench.postgres();
  return onDatabase(server.superuserUrl(COPY), async (client) => {
    for (const statement of ERASE_BY_HAND) await client.query(statement, [NOBODY]);
    const { milliseconds, result } = await timed(async () => {
      let rows = 0;
      await client.query('begin');
      for (const statement of ERASE_BY_HAND) rows += (await client.query(statement, [PERSON])).rowCount ?? 0;
      await client.query('commit');
      return rows;
    });
    if (result !== ROWS) throw new Error(`By hand ${result} rows were erased instead of ${ROWS}.`);
    return milliseconds;
  });
}

async function eraseByHabeas(bench: Bench, habeas: { readonly url: string; readonly key: string }) {
  const server = await bench.postgres();
  await askAndWait(habeas, { right: 'access', email: NOBODY, dryRun: true });
  const { milliseconds, result } = await timed(() => askAndWait(habeas, { right: 'erasure', email: PERSON }));
  const erased = rowsOf(result.tasks, 'erase');
  const left = await onDatabase(server.superuserUrl(COPY), (client) =>
    client.query('select from customers where email = $1', [PERSON]),
  );
  if (erased !== ROWS || left.rowCount !== 0) {
    throw new Error(`Habeas erased ${erased} rows instead of ${ROWS}.`);
  }
  return { milliseconds, times: timesOf(result.tasks) };
}
