import { expect, onTestFinished, test } from 'vitest';
import { erase, located, sum } from '../../../test/connector-contract.ts';
import { createSqliteFile } from '../../../test/sqlite-file.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import { createSqliteConnector } from './sqlite-connector.ts';

const ANN = [{ type: 'email', value: 'ann@example.com' }];
/** Of each kind of child; more than two sets of keys. */
const ROWS = 45_000;

const child = (name: string, onErase: string) => `
      - name: ${name}
        habeas: { on_erase: ${onErase} }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - name: person_id
            data_categories: [user.unique_id]
            fides_meta: { references: [{ dataset: shop, field: people.id, direction: from }] }
          - { name: body, data_categories: [user.content.private] }`;

/** Erased in the order of the test below; foreign keys see to it that people come last. */
const DATASET = `
dataset:
  - fides_key: shop
    collections:
      - name: people
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
${child('notes', 'delete')}
${child('visits', 'delete')}
${child('reviews', 'detach')}`;

const table = (name: string, key: string) => [
  `create table ${name} (id integer primary key, person_id integer ${key} references people, body text)`,
  `create index ${name}_person on ${name} (person_id)`,
  `with recursive n (i) as (select 1 union all select i + 1 from n where i < ${2 * ROWS})
   insert into ${name} select i, 1 + i % 2, 'body ' || i from n`,
];

function openShop() {
  const file = createSqliteFile();
  file.run([
    'create table people (id integer primary key, email text not null)',
    "insert into people values (1, 'ann@example.com'), (2, 'bob@example.com')",
    ...table('notes', 'not null'),
    ...table('reviews', ''),
    ...table('visits', 'not null'),
  ]);
  const connector = createSqliteConnector({
    key: 'shop',
    url: file.file,
    folder: '/',
    options: {},
    datasets: parseDatasets(DATASET, 'shop.yml'),
    keepRules: [],
    clock: fixedClock('2026-01-01T00:00:00Z'),
    connections: 1,
  });
  onTestFinished(async () => {
    await connector.close();
    file.remove();
  });
  const count = (name: string, where: string) =>
    file.rows(`select count(*) from ${name} where ${where}`)[0]?.[0];
  return { file, connector, count };
}

test('deletions that are handed over ahead run in their order, and all are counted', async () => {
  const { connector, count } = openShop();
  const scope = await located({ connector }, ANN);
  const evidence = await erase({ connector }, scope);
  expect(Object.keys(evidence.counts)).toEqual(['visits', 'reviews', 'notes', 'people']);
  expect(evidence.counts).toEqual({ notes: ROWS, reviews: ROWS, visits: ROWS, people: 1 });
  expect(sum((await connector.verify(scope)).remaining)).toBe(0);
  for (const name of ['notes', 'visits'])
    expect([count(name, 'person_id = 1'), count(name, 'person_id = 2')]).toEqual([0, ROWS]);
  expect(count('people', 'true')).toBe(1);
});

test.each([
  ['one in the middle', 'notes', ROWS],
  ['the last of a collection', 'notes', 2 * ROWS],
  ['the first of all', 'visits', 2],
  ['the last of all', 'people', 1],
])(
  'where the database refuses %s, nothing is gone, and the same keys go through afterwards',
  async (_, name, id) => {
    const { file, connector, count } = openShop();
    const scope = await located({ connector }, ANN);
    const before = file.rows(`select * from ${name} where id = ${id}`);
    file.run([
      `create trigger stop before delete on ${name} when old.id = ${id} begin select raise(abort, 'no'); end`,
    ]);
    await expect(connector.erase(scope, 'erase')).rejects.toMatchObject({
      code: 'SYSTEM_FAILED',
      message: expect.stringContaining('a trigger of the database refuses'),
    });
    expect(file.rows(`select * from ${name} where id = ${id}`)).toEqual(before);
    expect(
      ['notes', 'reviews', 'visits'].map((one) => count(one, "person_id = 1 and body like 'body %'")),
    ).toEqual([ROWS, ROWS, ROWS]);
    file.run(['drop trigger stop']);
    expect((await erase({ connector }, scope)).counts).toEqual({
      notes: ROWS,
      reviews: ROWS,
      visits: ROWS,
      people: 1,
    });
  },
);

test('where the database rolls everything back by itself, what was handed over behind is not done either', async () => {
  const { file, connector, count } = openShop();
  const scope = await located({ connector }, ANN);
  file.run([
    "create trigger stop before delete on notes when old.id = 2 begin select raise(rollback, 'no'); end",
  ]);
  await expect(connector.erase(scope, 'erase')).rejects.toMatchObject({ code: 'SYSTEM_FAILED' });
  for (const name of ['notes', 'reviews', 'visits'])
    expect([name, count(name, 'person_id = 1')]).toEqual([name, ROWS]);
  file.run(['drop trigger stop']);
  expect((await erase({ connector }, scope)).counts).toMatchObject({ visits: ROWS, people: 1 });
});

test.each([1, 30, 66, 70, 100])(
  'where the keys cannot be read further after %i batches, nothing is changed',
  async (most) => {
    const { connector, count } = openShop();
    const scope = await located({ connector }, ANN);
    const broken = {
      ...scope,
      async *keys() {
        let left = most;
        for await (const batch of scope.keys()) {
          if (left === 0) throw new Error('the state database is gone');
          left -= 1;
          yield batch;
        }
        throw new Error('the state database is gone');
      },
    };
    await expect(connector.erase(broken, 'erase')).rejects.toThrow('gone');
    // Whatever was under way has ended by now.
    await new Promise((resolve) => setTimeout(resolve, 300));
    for (const name of ['notes', 'reviews', 'visits'])
      expect([name, count(name, 'person_id = 1')]).toEqual([name, ROWS]);
    expect((await erase({ connector }, scope)).counts).toMatchObject({ visits: ROWS, people: 1 });
  },
);
