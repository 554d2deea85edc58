import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { arrayOf, collect, erase, located, sum } from '../../../test/connector-contract.ts';
import { createMariadbDatabase, type MariadbDatabase } from '../../../test/mariadb-database.ts';
import { type MariadbServer, startMariadb, startMysql } from '../../../test/mariadb-server.ts';
import { requireMysqld, requireProgram } from '../../../test/requirements.ts';
import { people } from '../../../test/small-shop-contract.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import type { Connector } from '../connector.ts';
import { createMysqlConnector } from './mysql-connector.ts';

const PROGRAMS = [
  ['MariaDB', requireProgram('mariadbd', '--version'), startMariadb],
  ['MySQL', requireMysqld(), startMysql],
] as const;

const ANN = [{ type: 'email', value: 'ann@example.com' }];
const PEOPLE = people(`
          - { name: id, fides_meta: { primary_key: true } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }`);
const ROWS = `insert into people values (1, 'ann@example.com'), (2, 'bob@example.com'), (11, 'ann@example.com')`;

for (const [product, program, start] of PROGRAMS)
  describe.skipIf(program === undefined)(`a ${product} server of one’s own`, () => {
    let server: MariadbServer;
    let database: MariadbDatabase;
    const opened: Connector[] = [];

    beforeAll(async () => {
      server = await start([
        '--server-id=1',
        '--log-bin',
        '--binlog-format=ROW',
        '--binlog-expire-logs-seconds=86400',
      ]);
    });
    afterAll(() => server?.[Symbol.asyncDispose]());
    beforeEach(async () => {
      database = await createMariadbDatabase(server.url);
    });
    afterEach(async () => {
      for (const connector of opened.splice(0)) await connector.close();
      await server.run(
        'set global read_only = 0, global binlog_format = ROW, global binlog_expire_logs_seconds = 86400',
      );
      await database.drop();
    });

    function connect(url = database.url): Connector {
      const connector = createMysqlConnector({
        key: 'shop',
        url,
        datasets: parseDatasets(PEOPLE, 'shop.yaml'),
        clock: fixedClock('2026-01-01T00:00:00Z'),
      });
      opened.push(connector);
      return connector;
    }

    const TABLE = 'create table people (id int primary key, email varchar(80))';
    const idsLeft = async () => (await database.rows('select id from people order by id')).flat();

    test('the binary log is a copy that ends when its files expire, or never', async () => {
      await database.run([TABLE, ROWS]);
      const connector = connect();
      const { residuals } = await erase({ connector }, await located({ connector }, ANN));
      expect(residuals.find(({ copy }) => copy === 'binary-log')).toEqual({
        what: expect.stringContaining('binlog_expire_logs_seconds'),
        until: '2026-01-02T00:00:00.000Z',
        copy: 'binary-log',
      });
      await server.run('set global binlog_expire_logs_seconds = 0');
      await database.run([`insert into people values (3, 'ann@example.com')`]);
      const again = await erase({ connector }, await located({ connector }, ANN));
      expect(again.residuals.find(({ copy }) => copy === 'binary-log')).toMatchObject({
        what: expect.stringContaining('never expire'),
        until: null,
      });
    });

    test('a table in partitions is one table, and its rows go from all of them', async () => {
      await database.run([
        `${TABLE} partition by range (id) (partition low values less than (10), partition high values less than maxvalue)`,
        ROWS,
      ]);
      const connector = connect();
      expect((await connector.check()).problems).toEqual([]);
      const shapes = await arrayOf(connector.discover?.(new AbortController().signal) ?? []);
      expect(shapes.map(({ name }) => name)).toEqual(['people']);
      const scope = await located({ connector }, ANN);
      expect((await erase({ connector }, scope)).counts).toEqual({ people: 2 });
      expect(sum((await connector.verify(scope)).remaining)).toBe(0);
      expect(await idsLeft()).toEqual([2]);
    });

    test('triggers run in the same transaction, and one that fails leaves everything as it was', async () => {
      await database.run([
        TABLE,
        ROWS,
        'create table gone (id int)',
        'create trigger note_gone after delete on people for each row insert into gone values (old.id)',
      ]);
      const connector = connect();
      const scope = await located({ connector }, ANN);
      await database.run([
        `create trigger stop_it before delete on people for each row
         if old.id = 11 then signal sqlstate '45000' set message_text = 'ann@example.com stays'; end if`,
      ]);
      const error = await connector.erase(scope, 'erase').catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'SYSTEM_FAILED' });
      expect(`${error}${JSON.stringify(error)}`).not.toContain('ann@');
      expect(await idsLeft()).toEqual([1, 2, 11]);
      expect(await database.rows('select id from gone')).toEqual([]);
      await database.run(['drop trigger stop_it']);
      expect((await erase({ connector }, scope)).counts).toEqual({ people: 2 });
      expect((await database.rows('select id from gone order by id')).flat()).toEqual([1, 11]);
    });

    test('a server that is read-only, as a replica is, is refused at the check, and changes nothing', async () => {
      await database.run([TABLE, ROWS]);
      const url = await database.user(['select, update, delete, create temporary tables on *.*']);
      const connector = connect(url);
      const scope = await located({ connector }, ANN);
      await server.run('set global read_only = 1');
      expect(await connector.check()).toMatchObject({
        ok: false,
        problems: [expect.stringMatching(/read-only, as replicas are: connect to the primary/)],
      });
      expect((await collect({ connector }, ANN)).items).toHaveLength(2);
      await expect(connector.erase(scope, 'erase')).rejects.toMatchObject({
        code: 'SYSTEM_REFUSED',
        message: expect.stringContaining('connect to the primary'),
      });
      expect(await idsLeft()).toEqual([1, 2, 11]);
    });

    test('a binary log of statements alone is refused at the check', async () => {
      await database.run([TABLE, ROWS]);
      await server.run('set global binlog_format = STATEMENT');
      const connector = connect();
      expect(await connector.check()).toMatchObject({
        ok: false,
        problems: [expect.stringContaining('set binlog_format to MIXED or ROW')],
      });
      await expect(
        located({ connector }, ANN).then((scope) => connector.erase(scope, 'erase')),
      ).rejects.toMatchObject({ code: expect.stringMatching(/^S/) });
      expect(await idsLeft()).toEqual([1, 2, 11]);
    });
  });
