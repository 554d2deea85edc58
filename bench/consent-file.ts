import { createWriteStream } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Benchmark } from './benchmark.ts';
import { PURPOSE_CODES, serveConsent } from './consent-server.ts';
import { judge } from './figure.ts';
import { onDatabase } from './on-database.ts';
import { processorTime } from './processor-time.ts';
import { runHabeas } from './run-habeas.ts';
import { timed } from './statistics.ts';

const ROWS = 1_000_000;
const PEOPLE = 500_000;

/** How long a list of a million rows takes, from the file to people's signatures. */
export const consentFile: Benchmark = {
  name: 'consent-file',
  about: `import a list of ${ROWS.toLocaleString('en')} signals of ${PEOPLE.toLocaleString('en')} people`,
  async run(bench) {
    await using server = await serveConsent(bench, 'consent_file');
    const file = join(bench.folder('consent_file'), 'people.csv');
    bench.say('writing the list');
    await pipeline(Readable.from(lines()), createWriteStream(file));
    await chmod(file, 0o644);
    bench.say('COPY of the same rows');
    const copy = await copyPlainly(server.databaseUrl, file);
    bench.say('importing');
    const before = processorTime();
    const { milliseconds, result } = await timed(() =>
      runHabeas(['consent', 'import', file, '--json', '--url', server.url, '--key', server.key]),
    );
    const { stored } = JSON.parse(result.stdout) as { readonly stored: number };
    const spent = processorTime() - before;
    if (stored !== ROWS) throw new Error(`${stored} rows were stored.`);
    return [
      judge({
        name: 'consent-file',
        value: milliseconds / 1_000,
        unit: 's',
        baseline: copy / 1_000,
        goal: { value: 30 },
        measured: `a list of ${ROWS} rows by habeas consent import, the start of the command with it: each row a signal with its person, and their signature`,
        against: 'COPY of the same file by the server into a table of texts with a primary key',
        notes: [
          `${((ROWS * 1_000) / milliseconds).toFixed(0)} rows a second; the most memory of the command ${result.peakMegabytes.toFixed(0)} MB`,
          `processor time of the command, the server and PostgreSQL together: ${(spent / 1_000).toFixed(0)} s`,
        ],
      }),
    ];
  },
};

function* lines(): Generator<string> {
  yield 'event_id,identity_type,identity_value,said_at,a,b\n';
  const start = Date.parse('2026-01-01T00:00:00Z');
  let piece = '';
  for (let row = 0; row < ROWS; row += 1) {
    const at = new Date(start + row * 1_000).toISOString();
    piece += `row-${row},email,person-${(row * 7_919) % PEOPLE}@example.org,${at},${row % 3 > 0},${row % 5 > 1 ? 'true' : ''}\n`;
    if (row % 1_000 < 999) continue;
    yield piece;
    piece = '';
  }
}

/** Milliseconds. */
async function copyPlainly(url: string, file: string): Promise<number> {
  return onDatabase(url, async (client) => {
    await client.query(
      `create table plain_list (event_id text primary key, identity_type text, identity_value text, said_at timestamptz, ${PURPOSE_CODES.slice(
        0,
        2,
      )
        .map((code) => `${code} boolean`)
        .join(', ')})`,
    );
    const { milliseconds } = await timed(() =>
      client.query(`copy plain_list from '${file}' with (format csv, header, force_null (a, b))`),
    );
    await client.query('drop table plain_list');
    return milliseconds;
  });
}
