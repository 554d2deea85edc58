import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { openAccounts } from './services/accounts/accounts-store.ts';
import { collectEvents } from './services/analytics/event-files.ts';
import { eventsFolder, seedEvents } from './services/analytics/seed.ts';
import { seedShop } from './services/orders/seed.ts';
import { subject } from './start.ts';

/** Enough that each service tells its progress before it is done. */
const PEOPLE = 12_000;
const database = `acme_${randomBytes(6).toString('hex')}`;
const url = Object.assign(new URL(inject('databaseUrl')), { pathname: `/${database}` }).toString();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'acme-killed-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Runs one export of a module in its own process, which kills itself (SIGKILL) at the first news of progress. */
async function killHalfWay(module: string, name: string, options: object): Promise<void> {
  const script = `
    const { ${name}: seed } = await import(${JSON.stringify(new URL(module, import.meta.url).href)});
    await seed({ ...JSON.parse(process.argv[1]), onProgress: () => process.kill(process.pid, 'SIGKILL') });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, JSON.stringify(options)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
}

it('a store whose making was killed half-way is made as a whole the next time', async () => {
  const options = { file: join(folder, 'accounts.sqlite'), people: PEOPLE };
  await killHalfWay('services/accounts/accounts-store.ts', 'openAccounts', options);
  const store = openAccounts(options);
  for (const n of [0, PEOPLE - 1]) {
    expect(store.identitiesOf(subject(n).identities)).toHaveLength(subject(n).identities.length);
  }
  store.close();
});

it('event files whose making was killed half-way are made as a whole the next time', async () => {
  const options = { folder, people: PEOPLE };
  await killHalfWay('services/analytics/seed.ts', 'seedEvents', options);
  expect(existsSync(eventsFolder(folder))).toBe(false);
  await seedEvents(options);
  const found = await collectEvents({ folder, identities: subject(PEOPLE - 1).identities });
  expect(found.lines).toBeGreaterThan(0);
});

it('a shop whose making was killed half-way is made as a whole the next time', async () => {
  await killHalfWay('services/orders/seed.ts', 'seedShop', { url, people: PEOPLE });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows: before } = await client.query("select to_regclass('customers') as found");
  expect(before).toEqual([{ found: null }]);
  expect(await seedShop({ url, people: PEOPLE })).toBe('seeded');
  const { rows } = await client.query<{ count: string }>('select count(*) from customers');
  expect(Number(rows[0]?.count)).toBe(PEOPLE);
  await client.end();
  const server = new pg.Client({ connectionString: inject('databaseUrl') });
  await server.connect();
  await server.query(`drop database ${database} with (force)`);
  await server.end();
});
