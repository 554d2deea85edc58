import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { Benchmark } from './benchmark.ts';
import { judge } from './figure.ts';
import type { ParquetRun } from './parquet-process.ts';
import { seededRandom } from './seeded-random.ts';
import { median, timed } from './statistics.ts';

const PEOPLE = 100;
const USERS = 200_000;
const RUNS = 3;
/** Of the file that is made, one row with another; it decides how many rows a size takes. */
const BYTES_OF_ROW = 76.7;
const MOST_MB = 512;
const MOST_GROWTH = 1.02;

/** How fast the rows of 100 people are taken out of a Parquet file, with them in every row group. */
export const parquet: Benchmark = {
  name: 'parquet',
  about: 'take the rows of 100 people out of a Parquet file of 1 GB, who are in all of its row groups',
  async run(bench) {
    const folder = bench.folder('parquet');
    const [file, own, baseline] = ['events', 'own', 'baseline'].map((name) =>
      join(folder, `${name}.parquet`),
    ) as [string, string, string];
    const instance = await DuckDBInstance.create(':memory:', { memory_limit: '4GB' });
    const duckdb = await instance.connect();
    bench.say(`making a file of about ${bench.megabytes} MB`);
    await makeEvents(duckdb, file, Math.ceil((bench.megabytes * 1e6) / BYTES_OF_ROW));
    const random = seededRandom(bench.seed);
    const people = Array.from({ length: PEOPLE }, () => Math.floor(random() * USERS));
    const kept = `select * from '${file}' where not user_id in (${people.join(', ')})`;
    const runs: ParquetRun[] = [];
    const copied: number[] = [];
    for (let run = 1; run <= RUNS; run += 1) {
      bench.say(`run ${run} of ${RUNS}`);
      copied.push(
        (await timed(() => duckdb.run(`copy (${kept}) to '${baseline}' (format parquet)`))).milliseconds,
      );
      runs.push(erase([file, own, 'user_id', people.join(',')]));
    }
    await refuseDifference(duckdb, own, kept);
    const size = statSync(file).size;
    const milliseconds = median(runs.map((run) => run.milliseconds));
    duckdb.closeSync();
    return [
      judge({
        name: 'parquet',
        value: milliseconds / 1_000,
        unit: 's',
        baseline: median(copied) / 1_000,
        goal: { ratio: 1 },
        measured: `the rows of ${PEOPLE} people found and the file written anew without them: ${runs[0]?.rows} rows in ${size} bytes, in all row groups; median of ${RUNS}`,
        against:
          '`copy (select … where not user_id in (…)) to …` of DuckDB, which leaves the same rows; median',
        notes: [
          `runs: ${runs.map((run) => (run.milliseconds / 1_000).toFixed(1)).join(', ')} s; DuckDB: ${copied.map((run) => (run / 1_000).toFixed(1)).join(', ')} s`,
        ],
      }),
      judge({
        name: 'parquet-memory',
        value: Math.max(...runs.map(({ peak }) => peak)),
        unit: 'MB',
        baseline: MOST_MB,
        goal: { value: MOST_MB },
        measured: 'the most resident memory (VmHWM) of the process that did it',
        against: 'the most that it may be',
      }),
      judge({
        name: 'parquet-size',
        value: statSync(own).size / 1e6,
        unit: 'MB',
        baseline: size / 1e6,
        goal: { ratio: MOST_GROWTH },
        measured: 'the new file',
        against: 'the old one',
      }),
    ];
  },
};

/** Visits of a shop, as they happened: everybody's are everywhere. */
async function makeEvents(duckdb: DuckDBConnection, file: string, rows: number): Promise<void> {
  await duckdb.run(`copy (select i as event_id, (hash(i) % ${USERS})::integer as user_id,
    'user' || (hash(i) % ${USERS})::varchar || '@mail.example' as email,
    timestamp '2026-01-01' + to_microseconds(i * 1000000 + (hash(i) % 1000000)::bigint) as at,
    ['view', 'click', 'buy', 'search'][1 + (hash(i + 2) % 4)::integer] as kind,
    'https://shop.example/item/' || (hash(i + 3) % 5000000)::varchar as url, (hash(i + 4) % 1000000) / 100.0 as amount,
    concat_ws('.', hash(i + 5) % 256, hash(i + 6) % 256, hash(i + 7) % 256, 1) as ip, md5(i::varchar) as session,
    case when hash(i + 8) % 3 = 0 then null else 'note ' || (hash(i + 9) % 1000)::varchar end as note
    from range(${rows}) t(i)) to '${file}' (format parquet)`);
}

function erase(args: readonly string[]): ParquetRun {
  const script = join(import.meta.dirname, 'parquet-process.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as ParquetRun;
}

/** Every row that is kept has to be there, as it was and where it was. */
async function refuseDifference(duckdb: DuckDBConnection, own: string, kept: string): Promise<void> {
  const summed = async (rows: string) => {
    const sum = await duckdb.runAndReadAll(
      `select count(*)::varchar as n, sum(hash(r))::varchar as h, bool_and(later) as ordered
       from (select r, r.event_id > coalesce(lag(r.event_id) over (), -1) as later from (${rows}) r)`,
    );
    return JSON.stringify(sum.getRowObjectsJson());
  };
  const [got, want] = [await summed(`select * from '${own}'`), await summed(kept)];
  if (got !== want || !got.includes('"ordered":true'))
    throw new Error('Other rows are left than those of others.');
}
