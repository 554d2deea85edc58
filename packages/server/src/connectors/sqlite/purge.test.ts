import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from 'vitest';
import { erase, located } from '../../../test/connector-contract.ts';
import { eventually } from '../../../test/eventually.ts';
import { createSqliteFile, type SqliteFile } from '../../../test/sqlite-file.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import type { Connector } from '../connector.ts';
import { createSqliteConnector } from './sqlite-connector.ts';

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
      - name: letters
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: person, fides_meta: { references: [{ dataset: shop, field: people.id, direction: from }] } }
          - { name: body, data_categories: [user.content.private] }`;

interface Store {
  readonly connector: Connector;
  readonly file: SqliteFile;
  /** Whether the mark stands in the file, or in a log or journal beside it. */
  isOnDisk(): boolean;
}

const opened: Store[] = [];

afterEach(async () => {
  for (const { connector, file } of opened.splice(0)) {
    await connector.close();
    file.remove();
  }
});

function openStore(journal: string, purge?: string): Store {
  const mark = `mark-${randomUUID()}`;
  const file = createSqliteFile();
  file.run([
    `pragma journal_mode = ${journal}`,
    'create table people (id integer primary key, email text)',
    'create table letters (id integer primary key, person int references people, body text)',
    'create index bodies on letters (body)',
    `insert into people values (1, 'ann@example.com'), (2, 'bob@example.com')`,
    `with recursive n (i) as (select 1 union all select i + 1 from n where i < 900)
     insert into letters select i, 1 + i % 2, case i % 2 when 0 then '${mark} ' || i || hex(randomblob(i)) else 'letter' || i end from n`,
  ]);
  const connector = createSqliteConnector({
    key: 'shop',
    url: file.file,
    folder: '/',
    options: purge === undefined ? {} : { purge },
    datasets: parseDatasets(DATASET, 'shop.yaml'),
    keepRules: [],
    clock: fixedClock('2026-01-01T00:00:00Z'),
    connections: 2,
  });
  const folder = dirname(file.file);
  const store: Store = {
    connector,
    file,
    isOnDisk: () => readdirSync(folder).some((name) => readFileSync(join(folder, name)).includes(mark)),
  };
  opened.push(store);
  return store;
}

test.each(['wal', 'delete', 'truncate', 'persist'])(
  'VACUUM takes what was erased out of a file with the journal %s and what lies beside it',
  async (journal) => {
    const { connector, isOnDisk } = openStore(journal, 'vacuum');
    expect(isOnDisk()).toBe(true);
    const evidence = await erase({ connector }, await located({ connector }, ANN));
    expect(evidence.effects).toEqual({
      people: { found: 1, erased: 1, masked: 0, kept: 0, level: 'purged' },
      letters: { found: 450, erased: 450, masked: 0, kept: 0, level: 'purged' },
    });
    expect(isOnDisk()).toBe(false);
    expect(evidence.residuals).toEqual([
      { what: expect.stringContaining('backups'), until: null, copy: 'backups' },
    ]);
  },
);

test('erasures of one moment share their VACUUM, wait for a reader that ends soon, and all are purged', async () => {
  const { connector, file } = openStore('wal', 'vacuum');
  const names = Array.from({ length: 8 }, (_, number) => `q${number}@example.com`);
  file.run(
    names.map((name, number) => `insert into people (id, email) values (${1_000 + number}, '${name}')`),
  );
  const scopes = await Promise.all(names.map((value) => located({ connector }, [{ type: 'email', value }])));
  const reader = new DatabaseSync(file.file);
  reader.exec('begin');
  reader.prepare('select count(*) from people').get();
  const erasing = Promise.all(scopes.map((scope) => erase({ connector }, scope)));
  await eventually(
    'they are erased, and wait',
    () => file.rows('select 1 from people where id >= 1000').length === 0,
  );
  reader.close();
  const evidence = await erasing;
  expect(evidence.map(({ effects }) => effects?.people?.level)).toEqual(names.map(() => 'purged'));
});

test('a program that still reads from the log keeps it, and nothing is called purged', async () => {
  const { connector, file, isOnDisk } = openStore('wal', 'vacuum');
  const scope = await located({ connector }, ANN);
  const reader = new DatabaseSync(file.file);
  try {
    reader.exec('begin');
    reader.prepare('select count(*) from people').get();
    const evidence = await erase({ connector }, scope);
    expect(evidence.effects?.letters?.level).toBe('logical');
    expect(evidence.notes.join()).toMatch(/write-ahead log|could not be vacuumed/);
    expect(evidence.residuals.length).toBeGreaterThan(1);
    expect(isOnDisk()).toBe(true);
  } finally {
    reader.close();
  }
});

test('without a purge nothing is called purged', async () => {
  const { connector } = openStore('wal');
  const evidence = await erase({ connector }, await located({ connector }, ANN));
  expect(evidence.effects?.letters?.level).toBe('logical');
  expect(evidence.residuals.map(({ what }) => what).join()).toContain('write-ahead log');
});
