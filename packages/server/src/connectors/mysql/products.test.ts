import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { arrayOf, erase, located, sum } from '../../../test/connector-contract.ts';
import { createMariadbDatabase, type MariadbDatabase } from '../../../test/mariadb-database.ts';
import { requireServer } from '../../../test/requirements.ts';
import { people } from '../../../test/small-shop-contract.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import type { Connector } from '../connector.ts';
import { createMysqlConnector } from './mysql-connector.ts';

const SERVERS = [
  ['MariaDB', await requireServer('mariadb')],
  ['MySQL', await requireServer('mysql')],
] as const;
const ANN = [{ type: 'email', value: 'ann@example.com' }];
const PEOPLE = people(`
          - { name: id, fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }`);

for (const [product, server] of SERVERS)
  describe.skipIf(server === undefined)(`what ${product} does in its own way`, () => {
    let database: MariadbDatabase;
    const opened: Connector[] = [];

    beforeEach(async () => {
      database = await createMariadbDatabase(server ?? '');
    });
    afterEach(async () => {
      for (const connector of opened.splice(0)) await connector.close();
      await database.drop();
    });

    function connect(dataset = PEOPLE, url = database.url): Connector {
      const connector = createMysqlConnector({
        key: 'shop',
        url,
        datasets: parseDatasets(dataset, 'shop.yaml'),
        clock: fixedClock('2026-01-01T00:00:00Z'),
      });
      opened.push(connector);
      return connector;
    }

    test('the check tells which of the two it is', async () => {
      await database.run(['create table people (id int primary key, email varchar(80))']);
      const health = await connect().check();
      expect(health).toMatchObject({ ok: true, message: expect.stringContaining(product) });
    });

    test('a reference of two columns is emptied in both, whichever is assigned first', async () => {
      await database.run([
        'create table people (a int, b int, email varchar(80), primary key (a, b))',
        'create table visits (id int primary key, pa int, pb int, note varchar(20), foreign key (pa, pb) references people (a, b))',
        `insert into people values (1, 2, 'ann@example.com'), (1, 3, 'bob@example.com')`,
        `insert into visits values (1, 1, 2, 'x'), (2, 1, 3, 'y')`,
      ]);
      const connector = connect(
        people(`
          - { name: a, fides_meta: { primary_key: true } }
          - { name: b, fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
      - name: visits
        habeas:
          references:
            - { name: who, columns: [pa, pb], target: people, target_columns: [a, b], on_erase: detach }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: pa }
          - { name: pb }
          - { name: note }`),
      );
      const scope = await located({ connector }, ANN);
      expect((await erase({ connector }, scope)).counts).toEqual({ people: 1, visits: 1 });
      expect(await database.rows('select * from visits order by id')).toEqual([
        [1, null, null, 'x'],
        [2, 1, 3, 'y'],
      ]);
      expect(sum((await connector.verify(scope)).remaining)).toBe(0);
    });

    test('columns that nobody sees are there, in a key as well', async () => {
      await database.run([
        'create table people (id int default 0 invisible primary key, email varchar(80), secret varchar(20) invisible)',
        `insert into people (id, email, secret) values (1, 'ann@example.com', 'a'), (2, 'bob@example.com', 'b')`,
      ]);
      const connector = connect();
      expect((await erase({ connector }, await located({ connector }, ANN))).counts).toEqual({ people: 1 });
      expect(await database.rows('select id, email, secret from people')).toEqual([
        [2, 'bob@example.com', 'b'],
      ]);
    });

    if (product === 'MySQL')
      test('a unique index over an expression is no key', async () => {
        await database.run([
          'create table people (id int, email varchar(80), unique key folded ((lower(email))), unique key plain (id))',
          `insert into people values (1, 'ann@example.com'), (2, 'bob@example.com')`,
        ]);
        const connector = connect();
        const [shape] = await arrayOf(connector.discover?.(new AbortController().signal) ?? []);
        expect(shape).toMatchObject({ primaryKey: [], uniqueKeys: [['id']] });
        expect((await erase({ connector }, await located({ connector }, ANN))).counts).toEqual({ people: 1 });
      });

    test('what a role may do its user may do, once the role is on', async () => {
      await database.run(['create table people (id int primary key, email varchar(80))']);
      const url = await database.user([]);
      const { username, pathname } = new URL(url);
      const role = `${username}_r`;
      await database.run([
        `create role ${role}`,
        `grant select, update, delete, create temporary tables on ${pathname.slice(1)}.* to ${role}`,
        `grant ${role} to '${username}'@'%'`,
      ]);
      try {
        expect(await connect(PEOPLE, url).check()).toMatchObject({ ok: false });
        await database.run([
          product === 'MySQL'
            ? `alter user '${username}'@'%' default role ${role}`
            : `set default role ${role} for '${username}'@'%'`,
        ]);
        expect((await connect(PEOPLE, url).check()).problems ?? []).toEqual([]);
      } finally {
        await database.run([`drop role ${role}`]);
      }
    });
  });
