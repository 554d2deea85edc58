import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { createApiClient } from '../packages/server/src/cli/api-client.ts';
import { cutList, type ListPiece } from '../packages/server/src/cli/cut-list.ts';
import type { Bench, Benchmark } from './benchmark.ts';
import { judge } from './figure.ts';
import { createDatabase, onDatabase } from './on-database.ts';
import { createShop, serveShop } from './one-shop.ts';
import { timed } from './statistics.ts';

const ROWS = 100_000;
/** Of the whole, at its beginning and at its end: what is compared to see whether it gets slower. */
const PART = 20_000;
const SHOP = 'import_shop';
const PLAIN = 'import_plain';
/** They wait, so that the rows are counted and not the work that they ask for. */
const POLICY = 'erasure: { wait: 30d }\n';

/** How long a list of 100,000 people takes, each row a request with its plan, and whether the last rows take longer than the first. */
export const importList: Benchmark = {
  name: 'import',
  about: `import a list of ${ROWS} people, each of whom makes a request`,
  async run(bench) {
    await createShop(bench, { name: SHOP, rows: 1_000 });
    const habeas = await serveShop(bench, { name: SHOP, policy: POLICY });
    const folder = bench.folder('import');
    try {
      const before = list({ folder, name: 'before.csv', from: 0, rows: 2_000 });
      const people = list({ folder, name: 'people.csv', from: 2_000, rows: ROWS });
      bench.say('2,000 rows to warm up');
      await importInto(habeas, before);
      bench.say(`${ROWS} rows into a plain table`);
      const plain = await insertPlainly(bench, people);
      bench.say(`${ROWS} rows into Habeas`);
      const pieces = await importInto(habeas, people, (done, milliseconds) =>
        bench.say(`${done} of ${ROWS} rows, ${(milliseconds / 1_000).toFixed(1)} s`),
      );
      const seconds = pieces.reduce((sum, piece) => sum + piece.milliseconds, 0) / 1_000;
      const rate = `${Math.round(ROWS / seconds)} requests a second`;
      return [
        judge({
          name: 'import',
          value: seconds,
          unit: 's',
          baseline: plain / 1_000,
          goal: { ratio: MOST_RATIO },
          measured: `a list of ${ROWS} people, cut into pieces and sent as habeas request import does: each row a request with its key, sealed identity, plan of eight tasks, audit entries and events`,
          against:
            'the same pieces parsed by csv-parse, and each written by one statement in a transaction of its own to a plain table with a unique key',
          notes: [rate],
        }),
        judge({
          name: 'import-growth',
          value: secondsOf(pieces.slice((-PART / ROWS) * pieces.length)),
          unit: 's',
          baseline: secondsOf(pieces.slice(0, (PART / ROWS) * pieces.length)),
          goal: { ratio: 1.25 },
          measured: `the last ${PART} rows of that list`,
          against: `its first ${PART} rows`,
        }),
      ];
    } finally {
      await habeas.server.end('SIGTERM');
    }
  },
};

/** What eight tasks, each with its rows in four tables, may cost more than one row in one. */
const MOST_RATIO = 100;

interface Taken {
  readonly milliseconds: number;
}

function secondsOf(pieces: readonly Taken[]): number {
  return pieces.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1_000;
}

function list(options: { folder: string; name: string; from: number; rows: number }): string {
  const { folder, name, from, rows } = options;
  const file = join(folder, name);
  const row = (_: unknown, index: number) => `erasure,person-${from + index}@example.com\n`;
  writeFileSync(file, `right,email\n${Array.from({ length: rows }, row).join('')}`);
  return file;
}

/** Sends it piece by piece, as the command does. */
async function importInto(
  habeas: { readonly url: string; readonly key: string },
  file: string,
  say: (done: number, milliseconds: number) => void = () => undefined,
): Promise<readonly Taken[]> {
  const client = createApiClient(habeas);
  const taken: Taken[] = [];
  let done = 0;
  let last = 0;
  const begun = performance.now();
  for await (const { body, firstLine } of cutList(file)) {
    const { milliseconds, result } = await timed(() =>
      client.importRequests({ name: 'people', dry_run: 'false', first_line: firstLine }, body),
    );
    const other = result.rows.find(({ outcome }) => outcome !== 'made');
    if (other !== undefined) throw new Error(`Line ${other.line} made no request: ${other.message}`);
    done += result.rows.length;
    taken.push({ milliseconds });
    if (done - last < PART / 2) continue;
    last = done;
    say(done, performance.now() - begun);
  }
  return taken;
}

/** Milliseconds. */
async function insertPlainly(bench: Bench, file: string): Promise<number> {
  const server = await bench.postgres();
  await createDatabase(server.superuserUrl(), PLAIN);
  return onDatabase(server.superuserUrl(PLAIN), async (client) => {
    await client.query(
      `create table asked (
         id bigint generated always as identity primary key,
         right_kind text not null,
         email text not null,
         received_at timestamptz not null default now(),
         unique (right_kind, email)
       )`,
    );
    const { milliseconds } = await timed(async () => {
      for await (const piece of cutList(file)) await client.query(INSERT, columnsOf(piece));
    });
    const { rows } = await client.query('select count(*)::integer as rows from asked');
    if (rows[0].rows !== ROWS) throw new Error(`The plain table has ${rows[0].rows} rows.`);
    return milliseconds;
  });
}

const INSERT =
  'insert into asked (right_kind, email) select * from unnest($1::text[], $2::text[]) on conflict do nothing';

function columnsOf({ body }: ListPiece): string[][] {
  const rows: { right: string; email: string }[] = parse(body, { columns: true });
  return [rows.map(({ right }) => right), rows.map(({ email }) => email)];
}
