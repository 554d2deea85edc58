import { askAndWait, rowsOf, timesOf } from './ask.ts';
import type { Bench, Benchmark } from './benchmark.ts';
import type { ByHand, EraseShop } from './erase-shops/erase-shop.ts';
import { openMysqlShop } from './erase-shops/mysql-shop.ts';
import { openPostgresShop } from './erase-shops/postgres-shop.ts';
import { openSqliteShop } from './erase-shops/sqlite-shop.ts';
import { judge } from './figure.ts';
import { serveShop } from './one-shop.ts';
import { NOBODY, PERSON } from './shop-of-one.ts';
import { median } from './statistics.ts';

const ROWS = 100_000;
/** Fewer tell one run of the same program from the next by a tenth, whatever else the machine does. */
const RUNS = 11;

/** How long it takes to erase one person who has 100,000 rows in six tables, for each kind of store. */
export const eraseRows: readonly Benchmark[] = [
  benchmarkOf({ name: 'erase-rows', store: 'PostgreSQL', open: openPostgresShop }),
  benchmarkOf({ name: 'erase-rows-mysql', store: 'MariaDB (Debian)', open: openMysqlShop }),
  benchmarkOf({ name: 'erase-rows-sqlite', store: 'SQLite', open: openSqliteShop }),
];

function benchmarkOf(options: {
  readonly name: string;
  readonly store: string;
  readonly open: (bench: Bench, rows: number) => Promise<EraseShop>;
}): Benchmark {
  const { name, store } = options;
  return {
    name,
    about: `erase one person who has ${ROWS} rows in six tables of ${store}`,
    async run(bench) {
      bench.say(`making a shop in which one person has ${ROWS} rows`);
      await using shop = await options.open(bench, ROWS);
      await shop.copy();
      const { byHand, byHabeas } = await measure(bench, { name, shop });
      const typical = byHabeas.toSorted((one, other) => one.milliseconds - other.milliseconds)[RUNS >> 1];
      return [
        judge({
          name,
          value: median(byHabeas.map(({ milliseconds }) => milliseconds)) / 1_000,
          unit: 's',
          baseline: median(byHand.map(({ milliseconds }) => milliseconds)) / 1_000,
          goal: { ratio: 2 },
          measured: `an erasure from the call of the API to its end: ${ROWS} keys found in ${store}, sealed and stored, rows erased, database read again; median of ${RUNS}`,
          against:
            'hand-written SQL that does the same on a fresh copy of the same database: writes down the ids of the customer and their orders, deletes the rows by them in one transaction, and counts afterwards that none of them is left',
          notes: [
            `the run in the middle: ${typical?.times}`,
            `by hand the deletions and their commit alone took ${(median(byHand.map(({ deleting }) => deleting)) / 1_000).toFixed(3)} s`,
          ],
        }),
      ];
    },
  };
}

async function measure(bench: Bench, { name, shop }: { readonly name: string; readonly shop: EraseShop }) {
  const habeas = await serveShop(bench, { name: name.replaceAll('-', '_'), connection: shop });
  const byHand: ByHand[] = [];
  const byHabeas: { readonly milliseconds: number; readonly times: string }[] = [];
  try {
    for (let run = 1; run <= RUNS; run += 1) {
      bench.say(`run ${run} of ${RUNS}`);
      await shop.copy();
      byHand.push(await eraseByHand(shop));
      await shop.copy();
      byHabeas.push(await eraseByHabeas(shop, habeas));
    }
  } finally {
    await habeas.server.end('SIGTERM');
  }
  return { byHand, byHabeas };
}

async function eraseByHand(shop: EraseShop): Promise<ByHand> {
  const byHand = await shop.eraseByHand(PERSON);
  if (byHand.rows !== ROWS) throw new Error(`By hand ${byHand.rows} rows were erased instead of ${ROWS}.`);
  return byHand;
}

async function eraseByHabeas(shop: EraseShop, habeas: { readonly url: string; readonly key: string }) {
  const all = await shop.count();
  await askAndWait(habeas, { right: 'access', email: NOBODY, dryRun: true });
  const { milliseconds, tasks } = await askAndWait(habeas, { right: 'erasure', email: PERSON });
  const erased = rowsOf(tasks, 'erase');
  const gone = all - (await shop.count());
  if (erased !== ROWS || gone !== ROWS)
    throw new Error(`Habeas says that it erased ${erased} rows, and ${gone} are gone, instead of ${ROWS}.`);
  return { milliseconds, times: timesOf(tasks) };
}
