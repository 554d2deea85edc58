import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { api } from '@habeas/contract';
import { enforce } from '@habeas/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, onServer, type TestDatabase } from '../../test/database.ts';
import { openDuckDb } from '../../test/duckdb.ts';
import { eventually } from '../../test/eventually.ts';
import { type HabeasHouse, openHabeasHouse } from '../../test/habeas-house.ts';
import { runHabeas } from '../../test/run-habeas.ts';
import {
  chooseTarget,
  loadPurposes,
  openTarget,
  requirePostgres,
  runJob,
  targetsOf,
} from '../consent/index.ts';
import { loadConfig, systemClock } from '../foundation/index.ts';
import { cliParts } from '../main.ts';

// One company: a shop, a Habeas that people told what they agree to, and jobs.
const BINARY = fileURLToPath(new URL('../../bin/habeas.mjs', import.meta.url));

const target = `t${randomBytes(5).toString('hex')}`;
let house: HabeasHouse;
let shop: TestDatabase;
let server: { readonly HABEAS_URL: string; readonly HABEAS_API_KEY: string | undefined };

const put = (name: string, text: string) => writeFileSync(join(house.folder, name), text);
const habeas = (argv: readonly string[]) => house.run(argv, server);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

async function say(choices: Readonly<Record<string, Readonly<Record<string, boolean>>>>): Promise<void> {
  const signals = Object.entries(choices).map(([user, said]) => ({
    event_id: randomBytes(8).toString('hex'),
    identity: { type: 'user_id', value: user },
    said_at: new Date().toISOString(),
    choices: said,
  }));
  const response = await fetch(`${server.HABEAS_URL}/api/v1/consent`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.HABEAS_API_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ signals }),
  });
  expect(response.status).toBe(200);
}

const agreed = async () =>
  (await shop.pool.query('select user_id from purpose_analytics.user_events order by 1')).rows.map(
    (row) => row.user_id,
  );

beforeAll(async () => {
  house = await openHabeasHouse();
  shop = await createTestDatabase();
  await shop.pool.query(
    `create table public.user_events (id int, user_id text, site text);
     create table public.results (site text, n bigint);
     insert into public.user_events values (1, 'ada', 's1'), (2, 'ada', 's2'), (3, 'bob', 's1'), (4, 'cy', 's1')`,
  );
  put(
    'habeas.yaml',
    JSON.stringify({
      organization: 'acme',
      consent: {
        purposes: 'purposes.yaml',
        targets: [
          {
            key: target,
            url: shop.url,
            sync_every: '50ms',
            tables: [
              { table: 'public.user_events', identity: 'user_id' },
              { table: 'public.results', open: true },
            ],
          },
        ],
      },
    }),
  );
  put(
    'purposes.yaml',
    JSON.stringify({
      purposes: [
        { code: 'analytics', name: { en: 'Analytics' }, legal_basis: 'consent' },
        { code: 'fraud', name: { en: 'Fraud' }, legal_basis: 'legitimate_interests' },
      ],
    }),
  );
  mkdirSync(join(house.folder, 'jobs'));
  put(
    'jobs/sites.sql',
    '-- Views of sites\n-- purpose: analytics\nselect site, count(*) as n from user_events group by site order by site\n',
  );
  expect((await house.run(['consent', 'install'], {})).exit).toBe(0);
  const { url, key } = await house.serve();
  server = { HABEAS_URL: url, HABEAS_API_KEY: key };
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
  await shop.close();
  for (const name of ['analytics', 'fraud']) await onServer(`drop role if exists "habeas_${target}_${name}"`);
});

it('brings what people say to the database, and says how far it is behind', async () => {
  await say({ ada: { analytics: true, fraud: false }, bob: { analytics: false } });
  await eventually('the shop knows of ada', async () => (await agreed()).length === 2);
  expect(await agreed()).toEqual(['ada', 'ada']);
  await say({ ada: { analytics: false }, cy: { analytics: true } });
  await eventually('the shop knows of cy', async () => (await agreed()).join() === 'cy');
  const metrics = await fetch(`${server.HABEAS_URL}/metrics`, {
    headers: { authorization: `Bearer ${server.HABEAS_API_KEY}` },
  });
  const text = await metrics.text();
  expect(text).toMatch(new RegExp(`habeas_consent_sync_lag_seconds\\{target="${target}"\\} \\d`));
  expect(text).toContain(`habeas_consent_drift{target="${target}"} 0`);
});

it('exports who agreed for engines outside, and proves that an export may be used', async () => {
  await say({ ada: { analytics: true, fraud: false }, cy: { analytics: false } });
  const response = await fetch(`${server.HABEAS_URL}/api/v1/public-keys`, {
    headers: { authorization: `Bearer ${server.HABEAS_API_KEY}` },
  });
  const { items } = (await response.json()) as { items: readonly string[] };
  const about = (purpose: string) => ['--purpose', purpose, '--identity', 'user_id'];
  await using duckdb = await openDuckDb();
  for (const [purpose, people] of [
    ['analytics', ['ada']],
    ['fraud', ['ada']],
  ] as const) {
    const made = await habeas(['consent', 'export', `${purpose}.parquet`, ...about(purpose)]);
    expect(made.notes).toBe('');
    expect(made.out).toContain(`${people.length} people who ${purpose === 'fraud' ? 'refused' : 'agreed'}`);
    const rows = await duckdb.rows(
      `select identity from '${join(house.folder, `${purpose}.parquet`)}' order by 1`,
    );
    expect(rows.map(({ identity }) => identity)).toEqual(people);
    const check = [
      'consent',
      'check-export',
      `${purpose}.parquet`,
      '--organization',
      'acme',
      '--public-key',
      ...items,
    ];
    expect((await habeas([...check, ...about(purpose)])).exit).toBe(0);
    expect(await habeas([...check, ...about('other')])).toMatchObject({ exit: 1, out: '' });
  }
  const refused = await habeas(['consent', 'export', 'a.bloom', ...about('analytics'), '--format', 'bloom']);
  expect(refused.notes).toContain('needs consent');
  expect(existsSync(join(house.folder, 'a.bloom'))).toBe(false);
});

it('narrows statements for programs that run them by themselves, by the SDK', async () => {
  await say({ ada: { analytics: true }, cy: { analytics: false } });
  await eventually('the shop knows', async () => (await agreed()).join() === 'ada,ada');
  const options = {
    organization: 'acme',
    purpose: 'analytics',
    url: server.HABEAS_URL,
    key: server.HABEAS_API_KEY ?? '',
  };
  const sql = 'select count(*)::int as n from user_events -- of everybody';
  const enforced = await enforce(sql, options);
  expect(enforced.relations).toMatchObject([{ schema: 'public', name: 'user_events', form: 'exists' }]);
  const client = await shop.pool.connect();
  try {
    await client.query('set search_path = public');
    expect((await client.query(enforced.sql)).rows).toEqual([{ n: 2 }]);
  } finally {
    client.release(true);
  }
  for (const [text, more, code, words] of [
    ['select 1; select 2', {}, 'SQL_REFUSED', '2 statements'],
    [`select '${'x'.repeat(1_000_000)}'`, {}, 'SQL_REFUSED', 'are read'],
    [sql, { purpose: 'selling' }, 'NOT_FOUND', 'selling'],
    [sql, { target: 'other' }, 'NOT_FOUND', 'other'],
    [sql, { organization: 'other' }, 'FORBIDDEN', 'organization'],
    [sql, { key: 'habeas_wrong' }, 'UNAUTHENTICATED', ''],
    [sql, { url: 'http://127.0.0.1:1' }, 'UNAVAILABLE', '127.0.0.1:1'],
  ] as const)
    await expect(enforce(text, { ...options, ...more })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words),
    });
});

it('runs a job for its purpose, and proves offline on which consent', async () => {
  await say({ ada: { analytics: true }, cy: { analytics: false } });
  await eventually('the shop knows', async () => (await agreed()).join() === 'ada,ada');
  const { exit, out, notes } = await habeas(['job', 'run', 'jobs/sites.sql']);
  expect({ exit, out }).toEqual({ exit: 0, out: 'site,n\r\ns1,1\r\ns2,1\r\n' });
  const [id = ''] = /run_\w+/.exec(notes) ?? [];
  put('receipt.json', (await habeas(['job', 'receipt', id, '--json'])).out);
  put('trust.txt', (await habeas(['audit', 'keys'])).out);
  const { receipt } = JSON.parse(readFileSync(join(house.folder, 'receipt.json'), 'utf8'));
  const { rows } = await shop.pool.query('select snapshot from habeas_consent.installed');
  expect(receipt).toMatchObject({
    job: 'sites',
    purpose: 'analytics',
    target,
    rows: 2,
    input_sha256: sha256(readFileSync(join(house.folder, 'jobs/sites.sql'), 'utf8')),
    output_sha256: sha256(out),
    relations: [{ name: 'public.user_events', form: 'exists' }],
    watermark: { snapshot: expect.stringMatching(/^\d+:\d+:/) },
  });
  expect(rows).toHaveLength(1);
  const verified = await habeas(['verify', 'receipt.json', '--trust', 'trust.txt']);
  expect(verified).toMatchObject({ exit: 0, out: expect.stringContaining('job sites for analytics') });
  const other = JSON.parse(readFileSync(join(house.folder, 'receipt.json'), 'utf8'));
  put('forged.json', JSON.stringify({ ...other, receipt: { ...other.receipt, purpose: 'fraud' } }));
  expect((await habeas(['verify', 'forged.json', '--trust', 'trust.txt'])).exit).toBe(1);
});

it('writes into a file what it gives, and into tables what it adds', async () => {
  put(
    'jobs/fill.sql',
    `-- purpose: fraud\n-- target: ${target}\ninsert into results select site, count(*) from user_events group by site`,
  );
  const filled = await habeas(['job', 'run', 'jobs/fill.sql', '--json']);
  expect(filled.exit).toBe(0);
  const { receipt } = JSON.parse(filled.notes);
  expect(receipt).toMatchObject({ purpose: 'fraud', rows: 1, written_sha256: sha256('site,n\r\ns1,2\r\n') });
  expect(receipt).not.toHaveProperty('output_sha256');
  expect((await shop.pool.query('select * from public.results')).rows).toEqual([{ site: 's1', n: 2 }]);
  expect((await habeas(['job', 'run', 'jobs/sites.sql', '--output', 'sites.csv'])).out).toBe('');
  expect(readFileSync(join(house.folder, 'sites.csv'), 'utf8')).toBe('site,n\r\ns1,1\r\ns2,1\r\n');
});

// What a job wrote, as anybody can read it afterwards.
const ofTwo = sha256('site,n\r\ns1,1\r\ns2,1\r\n');
it.each([
  [
    'insert into results select site, count(*) from user_events group by site order by site; -- done',
    ofTwo,
    2,
  ],
  [
    'create table public.made_by_job as select site, count(*) as n from user_events group by site order by site',
    ofTwo,
    2,
  ],
  ['select site, count(*) as n into made_by_job from user_events group by site order by site', ofTwo, 2],
  ['create table made_by_job as select site, n from results with no data', undefined, 0],
  ['create table if not exists public.results as select 1 as n', undefined, 0],
])('proves the rows that it wrote: %s', async (sql, written, rows) => {
  await shop.pool.query('drop table if exists public.made_by_job; delete from public.results');
  put('jobs/write.sql', `-- purpose: analytics\n${sql}`);
  const ran = await habeas(['job', 'run', 'jobs/write.sql', '--json']);
  expect({ exit: ran.exit, out: ran.out }).toEqual({ exit: 0, out: '' });
  const { receipt } = JSON.parse(ran.notes);
  expect([receipt.written_sha256, receipt.output_sha256, receipt.rows]).toEqual([written, undefined, rows]);
});

it('gives and proves what a job returns of the rows that it writes', async () => {
  await shop.pool.query('delete from public.results');
  put(
    'jobs/write.sql',
    '-- purpose: analytics\ninsert into results select site, count(*) from user_events where id = 1 group by site returning n',
  );
  const ran = await habeas(['job', 'run', 'jobs/write.sql', '--json']);
  expect(ran.out).toBe('n\r\n1\r\n');
  const { receipt } = JSON.parse(ran.notes);
  expect([receipt.written_sha256, receipt.output_sha256, receipt.rows]).toEqual([
    undefined,
    sha256(ran.out),
    1,
  ]);
});

it.each([
  ['/dev/full', 'Its disk is full'],
  ['no/such/sites.csv', 'There is no such folder'],
  ['jobs', 'It is a folder'],
])('notes no run whose rows cannot be written to %s', async (output, words) => {
  await shop.pool.query('delete from public.results');
  put(
    'jobs/both.sql',
    '-- purpose: analytics\nwith added as (insert into results select site, 1 from user_events returning site) select site from added',
  );
  const before = (await habeas(['job', 'list', '--json'])).json();
  const { exit, notes } = await habeas(['job', 'run', 'jobs/both.sql', '--output', output]);
  expect({ exit, notes: notes.replace(/\s+/g, ' ') }).toEqual({
    exit: 2,
    notes: expect.stringContaining(`${output} cannot be written. ${words}`),
  });
  expect((await habeas(['job', 'list', '--json'])).json()).toEqual(before);
  expect((await shop.pool.query('select * from public.results')).rows).toEqual([]);
});

it.each([
  ['has no room', '> /dev/full', /Standard output cannot be written\. Its disk is full/],
  [
    'is not read to its end',
    '| head -c 10 > /dev/null',
    /Standard output cannot be written\. Whoever read it/,
  ],
])('notes no run whose standard output %s', async (_, into, words) => {
  await shop.pool.query('delete from public.results');
  put(
    'jobs/long.sql',
    `-- purpose: analytics
with added as (insert into results select site, 1 from user_events returning site)
select site, repeat('x', 1000) as wide from added cross join generate_series(1, 3000)`,
  );
  const before = (await habeas(['job', 'list', '--json'])).json();
  const child = spawn(
    'bash',
    ['-c', `set -o pipefail; "$0" "$1" job run jobs/long.sql ${into}`, process.execPath, BINARY],
    {
      cwd: house.folder,
      env: { ...process.env, ...server },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const [said, [status]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  expect({ status, said: said.replace(/\s+/g, ' ') }).toEqual({
    status: 2,
    said: expect.stringMatching(words),
  });
  expect((await habeas(['job', 'list', '--json'])).json()).toEqual(before);
  expect((await shop.pool.query('select * from public.results')).rows).toEqual([]);
  rmSync(join(house.folder, 'jobs/long.sql'));
});

const partsOf = (name: string) =>
  readdirSync(house.folder).filter((one) => one.startsWith(`${name}.`) && one.endsWith('.part'));

it('leaves the old file as it is until the run is noted, and its rights after that', async () => {
  put('kept.csv', 'old');
  chmodSync(join(house.folder, 'kept.csv'), 0o600);
  symlinkSync('kept.csv', join(house.folder, 'link.csv'));
  const run = (key?: string) =>
    house.run(['job', 'run', 'jobs/sites.sql', '--output', 'link.csv'], {
      ...server,
      ...(key === undefined ? {} : { HABEAS_API_KEY: key }),
    });
  expect((await run('habeas_wrong')).exit).toBe(5);
  expect(readFileSync(join(house.folder, 'kept.csv'), 'utf8')).toBe('old');
  expect(partsOf('kept.csv')).toEqual([]);
  expect((await run()).exit).toBe(0);
  expect(readFileSync(join(house.folder, 'kept.csv'), 'utf8')).toBe('site,n\r\ns1,1\r\ns2,1\r\n');
  expect(lstatSync(join(house.folder, 'link.csv')).isSymbolicLink()).toBe(true);
  expect(lstatSync(join(house.folder, 'kept.csv')).mode & 0o777).toBe(0o600);
  expect(partsOf('kept.csv')).toEqual([]);
});

it('has all rows on the disk before the run is noted, and changes nothing if it is killed then', async () => {
  await shop.pool.query('delete from public.results');
  put('killed.csv', 'old');
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const silent = createServer(() => resolve()).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const child = spawn(process.execPath, [BINARY, 'job', 'run', 'jobs/both.sql', '--output', 'killed.csv'], {
    cwd: house.folder,
    env: { ...process.env, ...server, HABEAS_URL: `http://127.0.0.1:${port}` },
    stdio: 'ignore',
  });
  const ended = once(child, 'close');
  await Promise.race([asked, ended]);
  const [part = 'none'] = partsOf('killed.csv');
  expect(readFileSync(join(house.folder, part), 'utf8')).toBe('site\r\ns1\r\ns2\r\n');
  child.kill('SIGKILL');
  await ended;
  silent.closeAllConnections();
  silent.close();
  expect(readFileSync(join(house.folder, 'killed.csv'), 'utf8')).toBe('old');
  expect((await shop.pool.query('select * from public.results')).rows).toEqual([]);
});

it('notes a run when its rows are kept, and shows them when it is noted', async () => {
  const config = loadConfig({ folder: house.folder, environment: {}, only: ['organization', 'consent'] });
  const { purposes } = loadPurposes(join(house.folder, 'purposes.yaml'), 'purposes.yaml');
  const opened = requirePostgres(openTarget({ key: target, url: shop.url }), target);
  const steps: string[] = [];
  const run = (failing?: string) => {
    const step = (name: string) => async () => {
      steps.push(name);
      if (name === failing) throw new Error(name);
    };
    return runJob({
      file: 'jobs/sites.sql',
      sql: readFileSync(join(house.folder, 'jobs/sites.sql'), 'utf8'),
      target: chooseTarget(targetsOf(config, purposes), target).target,
      pool: opened.pool,
      clock: systemClock,
      output: {
        write: step('write'),
        finish: step('finish'),
        publish: step('publish'),
        discard: step('discard'),
      },
      record: async () => {
        await step('record')();
        return {} as api.JobRunReceipt;
      },
      signal: new AbortController().signal,
      spare: opened.pool,
    });
  };
  await run();
  expect(steps.splice(0)).toEqual(['write', 'finish', 'record', 'publish']);
  await expect(run('finish')).rejects.toThrow('finish');
  expect(steps.splice(0)).toEqual(['write', 'finish', 'discard']);
  await expect(run('record')).rejects.toThrow('record');
  expect(steps).toEqual(['write', 'finish', 'record', 'discard']);
  await opened.close();
});

it('names a job as its folder has it, wherever somebody stands who runs it', async () => {
  mkdirSync(join(house.folder, 'elsewhere'));
  const config = join(house.folder, 'habeas.yaml');
  for (const file of [join(house.folder, 'jobs/sites.sql'), '../jobs/sites.sql']) {
    const argv = ['job', 'run', file, '--config', config, '--json'];
    const { exit, notes } = await runHabeas(argv, {
      folder: join(house.folder, 'elsewhere'),
      parts: cliParts,
      environment: server as NodeJS.ProcessEnv,
    });
    expect({ exit, notes }).toMatchObject({ exit: 0, notes: expect.stringContaining('"job":"sites"') });
  }
});

it('stops a statement when it is told to, and leaves nothing of it', async () => {
  await shop.pool.query('delete from public.results');
  put(
    'jobs/endless.sql',
    `-- purpose: fraud\ninsert into results select 'endless', count(*) from generate_series(1, 1e12)`,
  );
  const child = spawn(
    process.execPath,
    [BINARY, 'job', 'run', 'jobs/endless.sql', '--output', 'endless.csv'],
    {
      cwd: house.folder,
      env: { ...process.env, ...server },
      stdio: 'ignore',
    },
  );
  const running = async () => {
    const { rows } = await shop.pool.query(
      `select from pg_stat_activity where datname = current_database() and application_name = 'habeas consent' and state = 'active' and query like '%endless%'`,
    );
    return rows.length;
  };
  await eventually('the statement runs', async () => (await running()) === 1);
  child.kill('SIGTERM');
  const [status] = await once(child, 'close');
  expect({ status, running: await running(), parts: partsOf('endless.csv') }).toEqual({
    status: 130,
    running: 0,
    parts: [],
  });
  expect((await shop.pool.query('select * from public.results')).rows).toEqual([]);
  rmSync(join(house.folder, 'jobs/endless.sql'));
});

it('has nothing of a job whose run was not noted', async () => {
  await shop.pool.query('delete from public.results');
  const { exit } = await house.run(['job', 'run', 'jobs/fill.sql'], {
    ...server,
    HABEAS_API_KEY: 'habeas_wrong',
  });
  expect(exit).toBe(5);
  expect((await shop.pool.query('select * from public.results')).rows).toEqual([]);
});

it.each([
  ['select 1', 2, 'does not say what it is for'],
  ['select 1\n-- purpose: analytics', 2, 'does not say what it is for'],
  ['-- purpose: analytics\n-- purpose: fraud\nselect 1', 2, 'names more than one purpose'],
  ['-- purpose: fraud, analytics\nselect 1', 2, 'names more than one purpose'],
  ['-- purpose: advertising and more\n-- purpose: fraud\nselect 1', 2, 'names more than one purpose'],
  ['-- purpose: selling\nselect 1', 2, 'There is no purpose "selling"'],
  ['-- purpose: fraud\n-- target: other\nselect 1', 2, 'There is no target other'],
  ['-- purpose: fraud\nselect 1; delete from user_events', 1, '2 statements'],
  ['-- purpose: fraud\ndelete from user_events', 1, 'only add rows'],
])('refuses the job %j', async (sql, exit, words) => {
  put('jobs/odd.sql', sql);
  const before = (await habeas(['job', 'list', '--json'])).json();
  const result = await habeas(['job', 'run', 'jobs/odd.sql']);
  expect({ exit: result.exit, notes: result.notes.replace(/\s+/g, ' ') }).toEqual({
    exit,
    notes: expect.stringContaining(words),
  });
  expect((await habeas(['job', 'list', '--json'])).json()).toEqual(before);
});

it.each([
  ['select sit from user_events', 2, 'column "sit" does not exist'],
  [
    'insert into results select user_id, site from user_events',
    2,
    'is of type bigint but expression is of type text',
  ],
  ['select $1', 2, 'a job is given none'],
  ['select user_id::int from user_events', 1, 'failed in TARGET with SQLSTATE 22P02'],
  ['select n / (n - n) from results union select 1 / 0', 1, 'SQLSTATE 22012'],
  // Two words without an operator: PostgreSQL calls that a syntax error, and quotes the text of the row.
  [`select to_tsquery('simple', user_id || ' ' || site) from user_events`, 1, 'SQLSTATE 42601'],
  ['create table public.results as select 1 as n', 2, 'relation "results" already exists'],
])('says what is wrong with the job %j, and nothing of a row', async (sql, exit, words) => {
  put('jobs/wrong.sql', `-- purpose: analytics\n${sql}`);
  const result = await habeas(['job', 'run', 'jobs/wrong.sql']);
  rmSync(join(house.folder, 'jobs/wrong.sql'));
  expect({ exit: result.exit, notes: result.notes.replace(/\s+/g, ' ') }).toEqual({
    exit,
    notes: expect.stringContaining(words.replace('TARGET', target)),
  });
  expect(result.notes).toContain('jobs/wrong.sql');
  expect(result.notes).not.toMatch(/\bada\b/);
});

it('lists jobs with their purposes, in the record of processing too', async () => {
  mkdirSync(join(house.folder, 'jobs/daily'));
  put('jobs/daily/new.sql', '-- purpose: fraud\nselect 1');
  put('jobs/odd.sql', 'select 1');
  // As a volume of Kubernetes has its files.
  mkdirSync(join(house.folder, 'jobs/..2026_11'));
  put('jobs/..2026_11/linked.sql', '\ufeff-- Purpose: fraud\r\nselect 1');
  symlinkSync('..2026_11/linked.sql', join(house.folder, 'jobs/linked.sql'));
  put('jobs/no job.sql', '-- purpose: fraud\nselect 1');
  put('jobs/word.sql', '-- purpose: Marketing-2\nselect 1');
  symlinkSync('none.sql', join(house.folder, 'jobs/broken.sql'));
  const never = { target, runs: 0, last_run_id: null, last_run_at: null };
  expect((await habeas(['job', 'list', '--json'])).json()).toMatchObject({
    items: [
      { job: 'both', purpose: 'analytics', ...never },
      { job: 'daily/new', purpose: 'fraud', ...never },
      { job: 'fill', purpose: 'fraud', target, runs: 1 },
      { job: 'linked', purpose: 'fraud', ...never },
      { job: 'odd', purpose: null, ...never },
      { job: 'sites', purpose: 'analytics', target, runs: 5 },
      { job: 'word', purpose: null, ...never },
      { job: 'write', purpose: 'analytics', target, runs: 6 },
    ],
  });
  expect((await habeas(['job', 'list'])).out).toContain(`daily/new  fraud  ${target}  never ran`);
  expect((await habeas(['map', 'export', '--format', 'record-csv', '--output', 'record.csv'])).exit).toBe(0);
  const record = readFileSync(join(house.folder, 'record.csv'), 'utf8');
  expect(record).toMatch(new RegExp(`Job sites in ${target}.*analytics`));
  expect(record).toMatch(new RegExp(`Job fill in ${target}.*fraud`));
  expect(record).toMatch(new RegExp(`Job daily/new in ${target} \\(never ran\\).*fraud`));
  expect(record).toMatch(new RegExp(`Job odd in ${target} \\(never ran\\).*MISSING`));
});
