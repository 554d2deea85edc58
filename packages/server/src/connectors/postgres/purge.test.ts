import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { erase, located } from '../../../test/connector-contract.ts';
import { eventually } from '../../../test/eventually.ts';
import { parseDatasets } from '../../catalog/index.ts';
import {
  type EmbeddedPostgres,
  fixedClock,
  type OpenDatabase,
  openDatabase,
  startEmbeddedPostgres,
} from '../../foundation/index.ts';
import type { Connector } from '../connector.ts';
import { createPostgresConnector } from './postgres-connector.ts';

const ANN = [{ type: 'email', value: 'ann@example.com' }];

const DATASET = `
dataset:
  - fides_key: shop
    collections:
      - name: people
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: note, data_categories: [user.content.private] }
      - name: letters
        habeas: { on_erase: mask }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: person, fides_meta: { references: [{ dataset: shop, field: people.id, direction: from }] }, habeas: { on_erase: anonymize } }
          - { name: body, data_categories: [user.content.private] }`;

interface Database extends OpenDatabase {
  readonly url: string;
}

interface Store {
  readonly connector: Connector;
  readonly database: Database;
  /** Whether the mark stands in the files of the tables, as they lie on the disk. */
  isOnDisk(): Promise<boolean>;
}

const opened: Store[] = [];

/** Of these tests alone: whoever writes in any database of a server keeps VACUUM from removing what was erased since. */
let server: EmbeddedPostgres;
const folder = mkdtempSync(join(tmpdir(), 'habeas-purge-'));

beforeAll(async () => {
  chmodSync(folder, 0o755);
  server = await startEmbeddedPostgres({ dataDir: folder, settings: { fsync: 'off' } });
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

async function createDatabase(): Promise<Database> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const admin = new pg.Client({ connectionString: server.superuserUrl() });
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  const url = server.superuserUrl(name);
  return { ...openDatabase({ url }), url };
}

afterEach(async () => {
  for (const { connector, database } of opened.splice(0)) {
    await connector.close();
    await database.close();
  }
});

async function openStore(purge?: string): Promise<Store> {
  const mark = `mark-${randomUUID()}`;
  const database = await createDatabase();
  await database.pool.query(`set search_path = public;
    create table people (id int primary key, email text, note text) with (autovacuum_enabled = false);
    create table letters (id int primary key, person int references people, body text) with (autovacuum_enabled = false);
    insert into people select g, 'p' || g || '@example.com', 'note' from generate_series(2, 200) g;
    insert into people values (1, 'ann@example.com', '${mark} note');
    insert into letters select g, 1 + g % 2, case g % 2 when 0 then '${mark} letter' else 'letter' end from generate_series(1, 200) g`);
  const connector = createPostgresConnector({
    key: 'shop',
    url: database.url,
    datasets: parseDatasets(DATASET, 'shop.yaml'),
    clock: fixedClock('2026-01-01T00:00:00Z'),
    options: purge === undefined ? {} : { purge },
  });
  const store: Store = {
    connector,
    database,
    async isOnDisk() {
      await database.pool.query('checkpoint');
      const { rows } = await database.pool.query<{ path: string }>(
        `select current_setting('data_directory') || '/' || pg_relation_filepath(t::regclass) as path
           from unnest(array['public.people', 'public.letters', 'public.people_pkey']) t`,
      );
      return rows.some(({ path }) => readFileSync(join(path)).includes(mark));
    },
  };
  opened.push(store);
  return store;
}

test('VACUUM FULL takes what was deleted and masked out of the files, and the evidence says so', async () => {
  const { connector, isOnDisk } = await openStore('vacuum full');
  expect(await isOnDisk()).toBe(true);
  const evidence = await erase({ connector }, await located({ connector }, ANN));
  expect(await isOnDisk()).toBe(false);
  expect(evidence.effects).toEqual({
    people: { found: 1, erased: 1, masked: 0, kept: 0, level: 'purged' },
    letters: { found: 100, erased: 0, masked: 100, kept: 0, level: 'purged' },
  });
  expect(evidence.residuals.map(({ what }) => what).join()).not.toContain('table files');
  expect(evidence.residuals.map(({ what }) => what).join()).toContain('write-ahead log');
  expect(evidence.residuals.map(({ what }) => what).join()).toContain('pg_statistic');
});

test.each([undefined, 'vacuum'])(
  'with purge: %s bytes stay in the files, and nothing is called purged',
  async (purge) => {
    const { connector, isOnDisk } = await openStore(purge);
    const evidence = await erase({ connector }, await located({ connector }, ANN));
    expect(await isOnDisk()).toBe(true);
    expect(Object.values(evidence.effects ?? {}).map(({ level }) => level)).toEqual(['logical', 'logical']);
    expect(evidence.residuals.map(({ what }) => what).join()).toContain('table files');
  },
);

test('what an older transaction may still see is kept by VACUUM FULL, and nothing is called purged', async () => {
  const { connector, database, isOnDisk } = await openStore('vacuum full');
  const scope = await located({ connector }, ANN);
  const reader = new pg.Client({ connectionString: database.url });
  await reader.connect();
  try {
    await reader.query('begin isolation level repeatable read');
    // It reads another table, so that it is in nobody's way, and could still read these.
    await reader.query('select count(*) from pg_class');
    const evidence = await erase({ connector }, scope);
    expect(Object.values(evidence.effects ?? {}).map(({ level }) => level)).toEqual(['logical', 'logical']);
    expect(evidence.notes.join()).toContain('older transaction');
    expect(await isOnDisk()).toBe(true);
  } finally {
    await reader.end();
  }
});

test('erasures of one moment wait for each other, share their VACUUM FULL, and all are purged', async () => {
  const store = await openStore('vacuum full');
  const { connector, database } = store;
  const people = Array.from({ length: 12 }, (_, number) => `q${number}`);
  await database.pool.query(
    `insert into public.people select 1000 + n, 'q' || n || '@example.com', 'note' from generate_series(0, 11) n`,
  );
  const scopes = await Promise.all(
    people.map((name) => located({ connector }, [{ type: 'email', value: `${name}@example.com` }])),
  );
  const file = async () =>
    (
      await database.pool.query<{ file: string }>(
        `select pg_relation_filenode('public.people')::text as file`,
      )
    ).rows[0]?.file;
  const files = new Set([await file()]);
  // A reader that comes with them, and ends soon.
  const reader = new pg.Client({ connectionString: database.url });
  await reader.connect();
  await reader.query('begin isolation level repeatable read');
  await reader.query('select count(*) from pg_class');
  const erasing = Promise.all(scopes.map((scope) => erase({ connector }, scope)));
  await eventually('they are erased, and wait', async () => {
    const { rows } = await database.pool.query(`select 1 from public.people where id >= 1000`);
    return rows.length === 0;
  });
  files.add(await file());
  await reader.end();
  const evidence = await erasing;
  expect(files.size).toBe(1);
  expect(evidence.map(({ effects }) => effects?.people?.level)).toEqual(people.map(() => 'purged'));
});

test('a transaction that writes in another database keeps what was erased, and nothing is called purged', async () => {
  const { connector, isOnDisk } = await openStore('vacuum full');
  const scope = await located({ connector }, ANN);
  const other = await createDatabase();
  const writer = await other.pool.connect();
  try {
    await writer.query('begin');
    await writer.query('select pg_current_xact_id()');
    const evidence = await erase({ connector }, scope);
    expect(Object.values(evidence.effects ?? {}).map(({ level }) => level)).toEqual(['logical', 'logical']);
    expect(evidence.notes.join()).toContain('older transaction');
    expect(await isOnDisk()).toBe(true);
  } finally {
    writer.release(true);
    await other.close();
  }
});

test('a user who may not vacuum is told so; the erasure stands', async () => {
  const { database } = await openStore();
  const role = `r_${randomUUID().slice(0, 8)}`;
  await database.pool.query(`create role ${role} login password 'secret';
    grant usage on schema public to ${role}; grant select, update, delete on all tables in schema public to ${role}`);
  const url = new URL(database.url);
  url.username = role;
  url.password = 'secret';
  const connector = createPostgresConnector({
    key: 'shop',
    url: url.toString(),
    datasets: parseDatasets(DATASET, 'shop.yaml'),
    clock: fixedClock('2026-01-01T00:00:00Z'),
    options: { purge: 'vacuum full' },
  });
  try {
    const evidence = await erase({ connector }, await located({ connector }, ANN));
    expect(evidence.counts).toEqual({ people: 1, letters: 100 });
    expect(evidence.notes.join()).toContain('may not vacuum');
    expect(evidence.effects?.people?.level).toBe('logical');
  } finally {
    await connector.close();
    await database.pool.query(`drop owned by ${role}; drop role ${role}`);
  }
});

test('a slot of replication is told as a copy', async () => {
  const { connector, database } = await openStore();
  const slot = `s_${randomUUID().replaceAll('-', '_')}`;
  await database.pool.query(`select pg_create_physical_replication_slot('${slot}', true)`);
  try {
    const { residuals } = await erase({ connector }, await located({ connector }, ANN));
    expect(residuals.map(({ what }) => what).join()).toMatch(/\d+ replication slots? ha/);
  } finally {
    await database.pool.query(`select pg_drop_replication_slot('${slot}')`);
  }
});

test('another purge than it knows is refused', () => {
  const make = (options: Readonly<Record<string, unknown>>) => () =>
    createPostgresConnector({
      key: 'shop',
      url: 'postgres://none',
      datasets: [],
      clock: fixedClock('2026-01-01T00:00:00Z'),
      options,
    });
  expect(make({ purge: 'everything' })).toThrow('one of vacuum, vacuum full');
  expect(make({ vacuum: true })).toThrow('the option "vacuum"');
});
