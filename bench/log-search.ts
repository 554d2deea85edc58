import { spawnSync } from 'node:child_process';
import { appendFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDatasets } from '../packages/server/src/catalog/index.ts';
import { loadConnectionKinds } from '../packages/server/src/connectors/index.ts';
import { systemClock } from '../packages/server/src/foundation/index.ts';
import type { Connector, Identity } from '../packages/server/src/index.ts';
import type { Benchmark } from './benchmark.ts';
import { judge } from './figure.ts';
import { locateAlone } from './locate-alone.ts';
import { seededRandom } from './seeded-random.ts';
import { median, timed } from './statistics.ts';

const PEOPLE = 1_000;
const BYTES = 2 * 2 ** 30;
const BLOCK_BYTES = 8 << 20;
/** One line in so many names one of the people. */
const RARITY = 2_000;
const RUNS = 3;
const REWRITE_MEGABYTES_PER_SECOND = 100;

/** How fast 1,000 people's 5,000 identifiers are looked for in 2 GiB of logs, and how fast their lines are dropped. */
export const logSearch: Benchmark = {
  name: 'log-search',
  about: "look for 1,000 people's 5,000 identifiers in 2 GiB of logs, and drop their lines",
  async run(bench) {
    const root = bench.folder('log-search');
    const identities = peopleOf(bench.seed);
    const patterns = join(root, 'patterns');
    writeFileSync(patterns, `${identities.map(({ value }) => value).join('\n')}\n`);
    const file = join(root, 'app.log.1');
    bench.say('writing 2 GiB of lines');
    writeLines(file, identities, bench.seed);
    const { size } = statSync(file);
    const logs = await open(root);
    const searched: number[] = [];
    const byGrep: number[] = [];
    for (let run = 1; run <= RUNS; run += 1) {
      bench.say(`run ${run} of ${RUNS}`);
      const grep = await timed(async () =>
        spawnSync('rg', ['-c', '-F', '-f', patterns, file], { encoding: 'utf8' }),
      );
      if (grep.result.status !== 0) throw new Error('ripgrep found nothing, or is not installed.');
      const own = await timed(() => locateAlone(logs, ...identities));
      if (own.result === 0) throw new Error('Nothing was found.');
      byGrep.push(grep.milliseconds);
      searched.push(own.milliseconds);
    }
    bench.say('dropping the lines');
    const rewriting = await timed(() => eraseAlone(logs, identities));
    const left = spawnSync('rg', ['-c', '-F', '-f', patterns, file]);
    if (left.status !== 1) throw new Error('Lines are left.');
    const seconds = (milliseconds: number) => milliseconds / 1_000;
    return [
      judge({
        name: 'log-search',
        value: seconds(median(searched)),
        unit: 's',
        baseline: seconds(median(byGrep)),
        // 60 % of its speed.
        goal: { ratio: 1.66 },
        measured: `which of ${identities.length} identifiers are in ${size} bytes, with their bounds and their other spellings; median of ${RUNS}`,
        against:
          '`rg -c -F -f` with the same identifiers over the same file, without bounds and other spellings',
      }),
      judge({
        name: 'log-rewrite',
        value: seconds(rewriting.milliseconds),
        unit: 's',
        baseline: size / (REWRITE_MEGABYTES_PER_SECOND * 1e6),
        goal: { ratio: 1 },
        measured: `the search and the writing of the new file without ${rewriting.result} lines`,
        against: `${REWRITE_MEGABYTES_PER_SECOND} MB each second`,
      }),
    ];
  },
};

function peopleOf(seed: number): readonly Identity[] {
  const random = seededRandom(seed);
  const digits = (count: number) => Array.from({ length: count }, () => Math.floor(random() * 10)).join('');
  const hex = (count: number) =>
    Array.from({ length: count }, () => Math.floor(random() * 16).toString(16)).join('');
  return Array.from({ length: PEOPLE }, (_, index): readonly Identity[] => [
    { type: 'email', value: `person${index}.${hex(4)}@mail.example` },
    { type: 'phone_number', value: `+4930${digits(8)}` },
    { type: 'uuid', value: `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}` },
    { type: 'session', value: `session_${hex(16)}` },
    { type: 'account', value: `account-${digits(9)}` },
  ]).flat();
}

function writeLines(file: string, identities: readonly Identity[], seed: number): void {
  const random = seededRandom(seed + 1);
  const pick = <One>(of: readonly One[]): One => of[Math.floor(random() * of.length)] as One;
  const verbs = ['GET', 'POST', 'PUT'] as const;
  const things = ['orders', 'carts', 'people', 'sessions', 'accounts', 'mails'] as const;
  const line = (n: number): string => {
    const who = n % RARITY === 0 ? pick(identities).value : `guest${Math.floor(random() * 1e9)}`;
    return `2026-11-${10 + (n % 20)}T10:${10 + (n % 50)}:00Z INFO web[${n % 7_000}]: ${pick(verbs)} /api/${pick(things)}/${Math.floor(random() * 1e9)}?of=${who} 200 ${Math.floor(random() * 900)}ms\n`;
  };
  let text = '';
  let n = 0;
  for (; text.length < BLOCK_BYTES; n += 1) text += line(n);
  writeFileSync(file, '');
  for (let size = 0; size < BYTES; size += text.length) appendFileSync(file, text);
}

async function open(root: string): Promise<Connector> {
  const connections = [
    { key: 'logs', kind: 'logs', team: 'web', url: root, datasets: ['logs.yml'], concurrency: 1 },
  ];
  const { logs } = await loadConnectionKinds({ connections, folder: root });
  if (logs === undefined) throw new Error('There is no connector of logs.');
  const fields = ['email', 'phone_number', 'uuid', 'session', 'account'].map(
    (type) =>
      `{ name: ${type}, data_categories: [user.unique_id], fides_meta: { identity: ${type} }, habeas: { match: exact, in_line: anywhere } }`,
  );
  const text = `dataset: [{ fides_key: logs, collections: [{ name: app, habeas: { on_erase: delete, logs: { path: "app.log.*" } }, fields: [${fields.join(', ')}] }] }]`;
  const datasets = parseDatasets(text, 'logs.yml');
  return logs({
    key: 'logs',
    url: root,
    folder: root,
    options: {},
    datasets,
    keepRules: [],
    clock: systemClock,
    connections: 1,
  });
}

async function eraseAlone(connector: Connector, identities: readonly Identity[]): Promise<number> {
  const keys = identities.map(({ type, value }) => JSON.stringify([type, value]));
  const outcome = await connector.erase(
    {
      organizationId: 'bench',
      requestId: 'bench',
      idempotencyKey: 'bench',
      identities,
      dueTime: new Date('2100-01-01T00:00:00Z'),
      signal: new AbortController().signal,
      async *keys() {
        yield { collection: 'app', columns: ['type', 'value'], count: keys.length, keys };
      },
    },
    'erase',
  );
  return outcome.state === 'done' ? (outcome.evidence.counts.app ?? 0) : 0;
}
