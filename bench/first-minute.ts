import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startAcme } from '@habeas/example-acme';
import { createTestKeys } from '../examples/acme/test/pd-client.ts';
import { startEmbeddedPostgres } from '../packages/server/src/foundation/index.ts';
import type { Bench, Benchmark } from './benchmark.ts';
import { judge } from './figure.ts';
import { median, timed } from './statistics.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const RUNS = 3;

/** How long a newcomer waits: from the clone to the end of the demonstration, and again with everything installed. */
export const firstMinute: Benchmark = {
  name: 'first-minute',
  about: 'from a clone to a verified erasure on the screen, and with the packages installed',
  async run(bench) {
    const folder = bench.folder('first-minute');
    const log = join(folder, 'output.log');
    const clone = (name: string) =>
      run('git', ['clone', '--quiet', `file://${ROOT}`, join(folder, name)], { cwd: folder, log });
    bench.say('npm ci alone, which warms the cache of npm');
    await clone('baseline');
    const install = () =>
      run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
        cwd: join(folder, 'baseline'),
        log,
      });
    await install();
    const installed = (await timed(install)).milliseconds / 1_000;

    bench.say('git clone and npm start -- --exit');
    const whole = await timed(async () => {
      await clone('newcomer');
      await demonstrate(join(folder, 'newcomer'), log);
    });
    const again: number[] = [];
    const alone: number[] = [];
    for (let n = 1; n <= RUNS; n += 1) {
      bench.say(`run ${n} of ${RUNS} with the packages installed and no data yet`);
      await rm(join(folder, 'newcomer', '.habeas'), { recursive: true, force: true });
      again.push((await timed(() => demonstrate(join(folder, 'newcomer'), log))).milliseconds / 1_000);
      alone.push((await timed(() => startCompanyAlone(bench, n))).milliseconds / 1_000);
    }
    return [
      judge({
        name: 'first-minute',
        value: whole.milliseconds / 1_000,
        unit: 's',
        baseline: installed,
        goal: { value: 60 },
        measured:
          'git clone and `npm start -- --exit` in it, with a warm npm cache and no data: packages, PostgreSQL, the company, the map, an access, an erasure everywhere, every system read again; a single run',
        against: '`npm ci` alone with the same warm cache',
      }),
      judge({
        name: 'first-minute-installed',
        value: median(again),
        unit: 's',
        baseline: median(alone),
        goal: { value: 15 },
        measured: `\`npm start -- --exit\` with the packages installed and no data; median of ${RUNS}`,
        against: `the example without Habeas: a new PostgreSQL, and the four services with new data until each answers; median of ${RUNS}`,
      }),
    ];
  },
};

/** Throws unless every step of the demonstration held. */
const demonstrate = (cwd: string, log: string) => run('npm', ['start', '--', '--exit'], { cwd, log });

async function startCompanyAlone(bench: Bench, n: number): Promise<void> {
  const folder = bench.folder(`company-${n}`);
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'data') });
  try {
    const acme = await startAcme({
      folder,
      shopDatabaseUrl: postgres.superuserUrl('shop'),
      habeasPublicKeys: [createTestKeys().publicKey],
    });
    await acme.stop();
  } finally {
    await postgres.stop();
  }
}

async function run(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly log: string },
): Promise<void> {
  const log = openSync(options.log, 'a');
  // What npm set for this run describes this project, not the clone.
  const own = Object.entries(process.env).filter(
    ([name]) => !/^npm_|^INIT_CWD$|^HABEAS_|^DATABASE_URL$/.test(name),
  );
  const child = spawn(program, args, {
    cwd: options.cwd,
    stdio: ['ignore', log, log],
    env: Object.fromEntries(own),
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (code !== 0)
    throw new Error(`${program} ${args.join(' ')} ended with ${code}; its output is in ${options.log}.`);
}
