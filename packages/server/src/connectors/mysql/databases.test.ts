import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { arrayOf, collect, erase, located, sum } from '../../../test/connector-contract.ts';
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

for (const [product, server] of SERVERS)
  describe.skipIf(server === undefined)(`more than one database of ${product} behind one connection`, () => {
    let database: MariadbDatabase;
    let billing: string;
    let other: string;
    const opened: Connector[] = [];

    beforeEach(async () => {
      database = await createMariadbDatabase(server ?? '');
      billing = `billing-${randomBytes(6).toString('hex')}`;
      other = `other_${randomBytes(6).toString('hex')}`;
      const invoices = `"${billing}"."invoices"`;
      await database.run([
        'create table people (id int primary key, email varchar(80))',
        'create table invoices (id int primary key, note varchar(20))',
        `insert into people values (1, 'ann@example.com'), (2, 'bob@example.com')`,
        `insert into invoices values (1, 'of the shop')`,
        `create database "${billing}" character set utf8mb4`,
        `create database ${other}`,
        `create table ${invoices} (id int primary key, person int, note varchar(20),
           foreign key (person) references "${new URL(database.url).pathname.slice(1)}".people (id))`,
        `create table ${other}.secrets (id int primary key)`,
        `insert into ${invoices} values (10, 1, 'a'), (11, 1, 'b'), (12, 2, 'c'), (13, null, 'd')`,
      ]);
    });
    afterEach(async () => {
      for (const connector of opened.splice(0)) await connector.close();
      await database.run([`drop database "${billing}"`, `drop database ${other}`]);
      await database.drop();
    });

    function connect(url = database.url, options: Readonly<Record<string, unknown>> = {}): Connector {
      const connector = createMysqlConnector({
        key: 'shop',
        url,
        options: { databases: [billing], ...options },
        datasets: parseDatasets(
          people(`
          - { name: id, fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
      - name: ${billing}.invoices
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: person, fides_meta: { references: [{ dataset: shop, field: people.id, direction: from }] } }
          - { name: note, data_categories: [user.content.private] }`),
          'shop.yaml',
        ),
        clock: fixedClock('2026-01-01T00:00:00Z'),
      });
      opened.push(connector);
      return connector;
    }

    const left = () => database.rows(`select id from "${billing}"."invoices" order by id`);

    test('a person is found, collected and erased over both, and nothing else is changed', async () => {
      const connector = connect();
      expect(await connector.check()).toMatchObject({ ok: true });
      const { items } = await collect({ connector }, ANN);
      expect(items.map(({ collection }) => collection).sort()).toEqual([
        `${billing}.invoices`,
        `${billing}.invoices`,
        'people',
      ]);
      const scope = await located({ connector }, ANN);
      expect((await erase({ connector }, scope)).counts).toEqual({ people: 1, [`${billing}.invoices`]: 2 });
      expect(sum((await connector.verify(scope)).remaining)).toBe(0);
      expect(await left()).toEqual([[12], [13]]);
      expect(await database.rows('select id from people')).toEqual([[2]]);
      expect(await database.rows('select note from invoices')).toEqual([['of the shop']]);
    });

    test('tables of databases that are named are discovered, with their references, and no others', async () => {
      const shapes = await arrayOf(connect().discover?.(new AbortController().signal) ?? []);
      expect(shapes.map(({ name }) => name)).toEqual(['invoices', 'people', `${billing}.invoices`]);
      expect(shapes[2]?.references).toMatchObject([{ columns: ['person'], target: 'people' }]);
    });

    test('a table of the other database is written anew by a purge, too', async () => {
      const connector = connect(database.url, { purge: 'optimize' });
      const { effects = {} } = await erase({ connector }, await located({ connector }, ANN));
      expect(Object.values(effects).map(({ level }) => level)).toEqual(['purged', 'purged']);
    });

    test('the check tells what this user may not do in the other database', async () => {
      const own = new URL(database.url).pathname.slice(1);
      const url = await database.user([
        `select, update, delete, create temporary tables on ${own}.*`,
        `select on "${billing}".*`,
      ]);
      expect(await connect(url).check()).toMatchObject({
        ok: false,
        problems: [expect.stringContaining(`${billing}.invoices`)],
      });
    });

    test('names that are none are refused', () => {
      for (const databases of ['billing', [''], [7], {}])
        expect(() => connect(database.url, { databases })).toThrow(/no list of names/);
    });
  });
