import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { collect, erase, located, sum, testConnectorContract } from './connector-contract.ts';
import { openContract } from './inside-contract.ts';
import { DOCUMENTS, NFD, NO_JSON, SPELLED_DOCUMENTS } from './inside-documents.ts';
import { CODE, ID, type InsideStore, type InsideStores } from './inside-stores.ts';
import { people } from './small-shop-contract.ts';
import { expectSpelledPeople, SPELLED_DATASET } from './spelled-people.ts';

const asText = (json: string | null) => (json === null ? 'null' : `'${json}'`);

async function insert(store: InsideStore, documents: readonly (string | null)[], from = 1): Promise<void> {
  if (documents.length === 0) return;
  const rows = documents.map((json, place) => `(${from + place}, ${asText(json)})`);
  await store.run([`insert into people (id, doc) values ${rows.join(', ')}`]);
}

const idsOf = (items: readonly { readonly row: object }[]) =>
  items.map(({ row }) => Number((row as { id: unknown }).id)).sort((a, b) => a - b);

/** Expects people to be found by what lies inside a column of JSON as they are by a column of their own. */
export function testFoundInside(name: string, stores: InsideStores): void {
  const types = stores.types;

  testConnectorContract(`${name} with people inside JSON`, () => openContract(stores));

  test.each(types)(`${name}: an identity inside a column of %s is found exactly`, async (type) => {
    const store = await stores.open(people(CODE), [`create table people (id int primary key, doc ${type})`]);
    await insert(
      store,
      DOCUMENTS.map(([json]) => json),
    );
    expect((await store.connector.check()).problems).toEqual([]);
    const codes = new Set(DOCUMENTS.flatMap(([, code]) => code ?? []));
    for (const code of [
      ...codes,
      NFD,
      'x0',
      'null',
      '7u',
      '%',
      '7%',
      '_',
      '{}',
      '[]',
      '-0',
      'a\0',
      '\ud83d',
    ]) {
      const isThere = stores.keepsLongNumbers || !/^\d{16}/.test(code);
      const want = DOCUMENTS.flatMap(([, one], place) =>
        isThere && one === code.normalize('NFC') ? [place + 1] : [],
      );
      const { items } = await collect(store, [{ type: 'code', value: code }]);
      expect([code, idsOf(items)]).toEqual([code, want]);
    }
  });

  test.each(types)(
    `${name}: who is found inside a column of %s is erased, and nobody else is`,
    async (type) => {
      const store = await stores.open(people(CODE), [
        `create table people (id int primary key, doc ${type})`,
      ]);
      await insert(
        store,
        DOCUMENTS.map(([json]) => json),
      );
      const docs = () => store.texts('select doc from people order by id');
      const before = await docs();
      const scope = await located(store, [{ type: 'code', value: '7' }]);
      expect(sum((await store.connector.verify(scope)).remaining)).toBe(5);
      expect((await erase(store, scope)).counts).toEqual({ people: 5 });
      expect(await docs()).toEqual(before.slice(5));
      expect(sum((await store.connector.verify(scope)).remaining)).toBe(0);
      expect(sum((await erase(store, scope)).counts)).toBe(0);
    },
  );

  test(`${name}: one value of a row tells more of its person, several tell of nobody else`, async () => {
    const dataset = people(`${CODE}
          - { name: doc.contact.email, data_categories: [user.contact.email], fides_meta: { identity: email }, habeas: { match: case-insensitive } }
      - name: visits
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: doc.who, data_categories: [user.unique_id], fides_meta: { identity: code } }`);
    const [type = ''] = types;
    const store = await stores.open(dataset, [
      `create table people (id int primary key, doc ${type})`,
      `create table visits (id int primary key, doc ${type})`,
    ]);
    await insert(store, [
      '{"code": 1, "contact": {"email": "fay@example.com"}}',
      '{"contact": [{"email": "bob@example.com"}, {"email": "ANN@example.com"}]}',
      '{"code": [3, 30], "contact": {"email": "bob@example.com"}}',
      '{"code": 4, "contact": {"email": ["ann@example.com", "eve@example.com"]}}',
      '{"code": 4}',
      '{"contact": {"email": "eve@example.com"}}',
      '{"code": 6, "contact": {"email": "cid@example.com"}}',
      '{"code": 6, "contact": {"email": "dan@example.com"}}',
      '{"code": ["7"], "contact": [{"email": "Gus@example.com"}]}',
      '{"code": 8, "contact": {"email": "GUS@example.com"}}',
    ]);
    await store.run([
      `insert into visits values (100, '{"who": [1]}'), (103, '{"who": 3}'), (104, '{"who": 4}'), (130, '{"who": "30"}')`,
    ]);
    const found = async (type: string, value: string) =>
      idsOf((await collect(store, [{ type, value }])).items);
    expect(await found('code', '1')).toEqual([1, 100]);
    expect(await found('email', 'fay@example.com')).toEqual([1, 100]);
    expect(await found('code', '7')).toEqual([9]);
    expect(await found('email', 'ann@example.com')).toEqual([2, 4]);
    expect(await found('email', 'bob@example.com')).toEqual([2, 3]);
    // What somebody else's row says as well names nobody for certain.
    expect(await found('email', 'cid@example.com')).toEqual([7]);
    const known: string[][] = [];
    for await (const { values } of store.connector.known?.read(['code'], new AbortController().signal) ?? [])
      known.push([...values]);
    expect(known.flat().sort()).toEqual(['1', '1', '3', '3', '30', '30', '4', '4', '6', '7', '8']);
  });

  test(`${name}: an identity inside a column is taken out of it where the row stays, and who is in a list goes with it`, async () => {
    const dataset = people(`${ID}
          - { name: doc.contact.email, data_categories: [user.contact.email], fides_meta: { identity: email }, habeas: { match: case-insensitive } }
          - { name: doc.theme, data_categories: [system.operations] }`).replace('delete', 'mask');
    const [type = ''] = types;
    const store = await stores.open(dataset, [`create table people (id int primary key, doc ${type})`]);
    await insert(store, [
      '{"contact":{"email":"Ann@example.com","by":"post"},"theme":"dark"}',
      '{"contact":[{"email":"ann@example.com"},{"email":"bob@example.com"}],"theme":"dark"}',
      '{"contact":{"email":"bob@example.com"},"theme":"ann@example.com"}',
    ]);
    const docs = async () =>
      (await store.texts('select doc from people order by id')).map((doc) =>
        doc?.replaceAll(/([:,]) /g, '$1'),
      );
    const before = await docs();
    expect((await store.connector.check()).problems).toEqual([]);
    const scope = await located(store, [{ type: 'email', value: 'ann@example.com' }]);
    expect(sum((await store.connector.verify(scope)).remaining)).toBe(2);
    expect((await erase(store, scope)).effects?.people).toMatchObject({ found: 2, masked: 2 });
    const [first, second, third] = await docs();
    expect(JSON.parse(first ?? '')).toEqual({ contact: { by: 'post' }, theme: 'dark' });
    expect(second).toBe('{"theme":"dark"}');
    expect(third).toBe(before[2]);
    expect(sum((await store.connector.verify(scope)).remaining)).toBe(0);
  });

  test(`${name}: a row that two share stays while what lies in it names somebody else`, async () => {
    const dataset = `
dataset:
  - fides_key: shop
    collections:
      - name: people
        habeas: { on_erase: delete }
        fields:${CODE}
          - { name: home_id, fides_meta: { references: [{ dataset: shop, field: homes.id, direction: to }] }, habeas: { share: shared, on_erase: delete } }
      - name: homes
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: doc.owner, data_categories: [user.unique_id], fides_meta: { identity: code } }`;
    const [type = ''] = types;
    const store = await stores.open(dataset, [
      `create table homes (id int primary key, doc ${type})`,
      `create table people (id int primary key, doc ${type}, home_id int)`,
      `insert into homes values (1, '{"owner": "bob"}'), (2, '{"owner": null}'), (3, '{"owner": "ann"}')`,
      `insert into people values (1, '{"code": "ann"}', 1), (2, '{"code": "ann"}', 2)`,
    ]);
    const scope = await located(store, [{ type: 'code', value: 'ann' }]);
    const { items } = await collect(store, [{ type: 'code', value: 'ann' }]);
    expect(JSON.stringify(items)).not.toContain('bob');
    expect((await erase(store, scope)).counts).toEqual({ people: 2, homes: 2 });
    expect(await store.texts('select id from homes')).toEqual(['1']);
    expect(sum((await store.connector.verify(scope)).remaining)).toBe(0);
  });

  test(`${name}: telephones, mailboxes and composed letters inside a column are compared as in columns`, async () => {
    const [type = ''] = types;
    const dataset = SPELLED_DATASET.replaceAll(/name: (email|phone|nick|box),/g, 'name: doc.$1,');
    const store = await stores.open(dataset, [
      `create table people (id int primary key, doc ${type})`,
      `create table boxes (id int primary key, doc ${type})`,
      ...SPELLED_DOCUMENTS,
    ]);
    await expectSpelledPeople(store.connector, async () =>
      (await store.texts('select id from people order by id')).map(Number),
    );
  });

  test(`${name}: of two members of one name`, async () => {
    const [type = ''] = types;
    const store = await stores.open(people(CODE), [`create table people (id int primary key, doc ${type})`]);
    await insert(store, ['{"code": "first", "code": "second"}']);
    const found = async (value: string) => idsOf((await collect(store, [{ type: 'code', value }])).items);
    expect(await found('second')).toEqual([1]);
    expect(await found('first')).toEqual(stores.keepsBoth ? [1] : []);
  });

  test.each(types.filter(stores.takesAnything))(
    `${name}: texts that are no JSON in a column of %s stop nothing, and the evidence counts them`,
    async (type) => {
      const store = await stores.open(people(CODE), [
        `create table people (id int primary key, doc ${type})`,
      ]);
      await insert(store, [...NO_JSON, '{"code": 7}', null]);
      expect((await store.connector.check()).problems).toEqual([]);
      const person = [{ type: 'code', value: '7' }];
      const { items, evidence } = await collect(store, person);
      expect(idsOf(items)).toEqual([5]);
      const told = '3 rows of people have something else than JSON in doc: nobody could be looked for there.';
      expect(evidence.notes).toContainEqual(expect.stringContaining(told));
      const scope = await located(store, person);
      const erased = await erase(store, scope);
      expect(erased.counts).toEqual({ people: 1 });
      expect(erased.notes).toContainEqual(expect.stringContaining(told));
      expect(await store.texts('select doc from people order by id')).toEqual([...NO_JSON, null]);
      expect(sum((await store.connector.verify(scope)).remaining)).toBe(0);
    },
  );

  test(`${name}: the dataset of the documentation finds and masks its person`, async () => {
    const page = await readFile(new URL('../../../docs/datasets.md', import.meta.url), 'utf8');
    const [dataset = ''] = /(?<=```yaml\n)(?:(?!```).)*details\.contact\.email.*?(?=```)/s.exec(page) ?? [];
    const [type = ''] = types;
    const store = await stores.open(dataset, [
      `create table customers (id int primary key, details ${type})`,
    ]);
    await store.run([
      `insert into customers values (1, '{"contact": {"email": "Ann@example.com"}, "name": "Ann", "theme": "dark"}'),
         (2, '{"contact": [{"email": "bob@example.com"}], "name": "Bob", "theme": "light"}')`,
    ]);
    const person = [{ type: 'email', value: 'ann@example.com' }];
    const scope = await located(store, person);
    expect((await erase(store, scope)).counts).toEqual({ customers: 1 });
    const details = await store.texts('select details from customers order by id');
    expect(details.map((one) => JSON.parse(one ?? ''))).toEqual([
      { contact: {}, theme: 'dark' },
      { contact: [{ email: 'bob@example.com' }], name: 'Bob', theme: 'light' },
    ]);
    expect(sum((await store.connector.verify(scope)).remaining)).toBe(0);
  });

  test.each(types.filter((type) => !/text/i.test(type)))(
    `${name}: a column of %s that is an identity as a whole is refused by name`,
    async (type) => {
      const dataset = people(`${ID}
          - { name: doc, data_categories: [user.unique_id], fides_meta: { identity: code } }`);
      const store = await stores.open(dataset, [`create table people (id int primary key, doc ${type})`]);
      const { ok, problems } = await store.connector.check();
      expect({ ok, problems }).toEqual({
        ok: false,
        problems: [
          expect.stringMatching(
            /^"people\.doc" is .*json.*, in which nobody can be found by the identity "code" as a whole\. Give the identity to the field inside it/i,
          ),
        ],
      });
    },
  );

  test(`${name}: a column in which other fields lie is refused as an identity, whatever its type`, async () => {
    const dataset = people(`${CODE}
          - { name: doc, data_categories: [user.unique_id], fides_meta: { identity: code } }`);
    const store = await stores.open(dataset, [
      `create table people (id int primary key, doc ${types.at(-1)})`,
    ]);
    const { problems } = await store.connector.check();
    expect(problems).toEqual([
      expect.stringContaining('Give the identity to the field inside it, such as `doc.code`.'),
    ]);
  });
}
