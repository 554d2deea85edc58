import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { Bench, Benchmark } from './benchmark.ts';
import { type ConsentServer, serveConsent } from './consent-server.ts';
import { judge } from './figure.ts';
import { peakMemoryOfRunning } from './resident-memory.ts';
import { timed } from './statistics.ts';

const HABEAS = fileURLToPath(new URL('../packages/server/bin/habeas.mjs', import.meta.url));
const SMALL_ROWS = 100_000;
const BYTES_OF_ROW = 270;
const PEOPLE = 200_000;
/** So many rows of the large list are done when its import is killed, or half of them. */
const KILLED_AFTER = 500_000;
/** An import reads ahead of what it tells, and stores behind that. */
const UNDER_WAY = 20_000;
/** One row in so many is wrong, each time in another way. */
const BROKEN_EACH = 5_003;
const LOOK_MILLISECONDS = 50;

/** Whether the memory of an import grows with its list, what becomes of broken rows, and what of a `kill -9` in the middle. */
export const consentLargeFile: Benchmark = {
  name: 'consent-large-file',
  about: 'import a list of --megabytes, of which some rows are broken, kill that in the middle, and go on',
  async run(bench) {
    await using server = await serveConsent(bench, 'consent_large_file');
    const small = await writeList(bench, 'small', SMALL_ROWS);
    const large = await writeList(bench, 'large', Math.ceil((bench.megabytes * 1e6) / BYTES_OF_ROW));
    // Of another list, so that the first one does not pay for the start of the server.
    await importOf(server, await writeList(bench, 'first', 20_000));
    bench.say('importing the small list');
    const little = await timed(() => importOf(server, small));
    const killAfter = Math.min(KILLED_AFTER, Math.floor(large.rows / 2));
    bench.say(`importing the large list, and killing that after ${killAfter} rows`);
    const killed = await importOf(server, large, killAfter);
    bench.say('importing it again');
    const { milliseconds, result } = await timed(() => importOf(server, large));
    requireAll(little.result, small);
    requireAll(result, large);
    if (result.repeated < killAfter - UNDER_WAY || result.stored === 0)
      throw new Error(`After the end in the middle ${result.repeated} rows were there.`);
    const megabytes = large.bytes / 1_000_000;
    return [
      judge({
        name: 'consent-large-file-memory',
        value: Math.max(result.peakMegabytes, killed.peakMegabytes),
        unit: 'MB',
        baseline: little.result.peakMegabytes,
        goal: { ratio: 1.25 },
        measured: `the most resident memory of habeas consent import with a list of ${megabytes.toFixed(0)} MB, ${large.rows} rows`,
        against: `the same with ${(small.bytes / 1_000_000).toFixed(0)} MB, ${SMALL_ROWS} rows`,
        notes: [
          `${(milliseconds / 1_000).toFixed(0)} s; killed after ${killed.rows} rows, done again: ${result.repeated} were there, ${result.stored} were stored, ${result.refused.length} of ${result.refused.length} broken rows refused by their lines`,
        ],
      }),
      judge({
        name: 'consent-large-file-time',
        value: (milliseconds * 1_000) / large.rows,
        unit: 'µs',
        baseline: (little.milliseconds * 1_000) / SMALL_ROWS,
        goal: { ratio: 1.3 },
        measured: `each row of the large list, of which ${result.repeated} were there`,
        against: 'each row of the small list, none of which were there, the start of the command with it',
      }),
    ];
  },
};

interface List {
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
  /** Lines of broken rows. */
  readonly broken: readonly number[];
}

async function writeList(bench: Bench, name: string, rows: number): Promise<List> {
  const file = join(bench.folder(`consent_list_${name}`), `${name}.csv`);
  const broken: number[] = [];
  function* lines() {
    yield 'event_id,identity_type,identity_value,said_at,a,b,notice_version,notice_language,notice_variant\n';
    let piece = '';
    for (let row = 0; row < rows; row += 1) {
      const isBroken = row % BROKEN_EACH === BROKEN_EACH - 1;
      if (isBroken) broken.push(row + 2);
      piece += isBroken ? brokenRow(row) : rightRow(name, row);
      if (row % 1_000 < 999) continue;
      yield piece;
      piece = '';
    }
    yield piece;
  }
  await pipeline(Readable.from(lines()), createWriteStream(file));
  return { file, rows, bytes: (await stat(file)).size, broken };
}

function rightRow(name: string, row: number): string {
  const at = new Date(Date.UTC(2026, 0, 1) + row).toISOString();
  const person = `person-${(row * 7_919) % PEOPLE}.${'x'.repeat(120)}@customers.of.the.old.system.example.org`;
  return `${name}-row-${row},email,${person},${at},${row % 3 > 0},${row % 5 > 1 ? 'denied' : ''},2025-11-version-of-the-old-system,en,banner-with-three-buttons\n`;
}

function brokenRow(row: number): string {
  const wrong = [
    'not,enough\n',
    'e,email,"open,2026-01-01T00:00:00Z,1,,,,\n',
    'e,email,x@y,never,1,,,,\n',
    '\0\n',
  ];
  return wrong[row % wrong.length] ?? '';
}

interface Imported {
  readonly rows: number;
  readonly stored: number;
  readonly repeated: number;
  readonly refused: readonly number[];
  readonly peakMegabytes: number;
}

/** `killAfter`: ends it with SIGKILL when so many rows are done. */
async function importOf(
  { url, key }: ConsentServer,
  { file }: Pick<List, 'file'>,
  killAfter = Number.POSITIVE_INFINITY,
): Promise<Imported> {
  const refused = `${file}.refused`;
  const args = ['consent', 'import', file, '--json', '--refused', refused, '--url', url, '--key', key];
  const child = spawn(process.execPath, [HABEAS, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let rows = 0;
  let peakMegabytes = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    rows = Number(/^(\d+) rows, until/.exec(line)?.[1] ?? rows);
    if (rows >= killAfter) child.kill('SIGKILL');
  });
  const looking = setInterval(() => {
    if (child.exitCode === null && child.signalCode === null)
      peakMegabytes = Math.max(peakMegabytes, peakMemoryOfRunning(child.pid ?? 0) ?? 0);
  }, LOOK_MILLISECONDS);
  const { promise, resolve } = Promise.withResolvers<void>();
  child.on('close', () => resolve());
  await promise.finally(() => clearInterval(looking));
  if (killAfter < Number.POSITIVE_INFINITY)
    return { rows, stored: 0, repeated: 0, refused: [], peakMegabytes };
  const { stored, repeated } = JSON.parse(out) as Imported;
  const lines = (await readFile(refused, 'utf8')).split('\n').filter((line) => line !== '');
  return { rows, stored, repeated, refused: lines.map((line) => JSON.parse(line).line), peakMegabytes };
}

/** Every row but the broken ones is stored, and those are told by their lines. */
function requireAll({ stored, repeated, refused }: Imported, { rows, broken }: List): void {
  if (stored + repeated !== rows - broken.length)
    throw new Error(`${stored} rows were stored and ${repeated} were there, of ${rows - broken.length}.`);
  if (JSON.stringify(refused) !== JSON.stringify(broken))
    throw new Error(`${refused.length} rows were refused, not the ${broken.length} that are broken.`);
}
