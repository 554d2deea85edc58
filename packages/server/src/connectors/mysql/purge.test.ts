import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { erase, located } from '../../../test/connector-contract.ts';
import { createMariadbDatabase, type MariadbDatabase } from '../../../test/mariadb-database.ts';
import { type MariadbServer, startMariadb, startMysql } from '../../../test/mariadb-server.ts';
import { requireMysqld, requireProgram } from '../../../test/requirements.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { fixedClock, HabeasError } from '../../foundation/index.ts';
import type { Connector, LocatedScope } from '../connector.ts';
import { createMysqlConnector } from './mysql-connector.ts';

const PROGRAMS = [
  ['MariaDB', requireProgram('mariadbd', '--version'), startMariadb],
  ['MySQL', requireMysqld(), startMysql],
] as const;
const ANN = [{ type: 'email', value: 'ann@example.com' }];
const WORK = 'select, update, delete, create temporary tables on *.*';

const datasetWith = (visits: string) => `
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
          - { name: body, data_categories: [user.content.private] }
      - name: '${visits}'
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: person, fides_meta: { references: [{ dataset: shop, field: people.id, direction: from }] } }
          - { name: place, data_categories: [user.content.private] }`;

const VISITS = 'old visits';

/** Where InnoDB and the binary log keep what happened, which the receipt names. */
const LOGS = /\/(ibdata|ib_logfile|undo|ibtmp|binlog\.|#innodb_redo\/|#innodb_temp\/|#ib_|ib_buffer_pool)/;

for (const [product, program, start] of PROGRAMS)
  describe.skipIf(program === undefined)(`purging in ${product}`, () => {
    let server: MariadbServer;
    const opened: { readonly connector: Connector; readonly database: MariadbDatabase }[] = [];

    beforeAll(async () => {
      server = await start([
        '--server-id=1',
        '--log-bin=binlog',
        '--innodb-ft-enable-stopword=OFF',
        '--innodb-flush-log-at-trx-commit=0',
      ]);
    });
    afterAll(() => server?.[Symbol.asyncDispose]());
    afterEach(async () => {
      for (const { connector, database } of opened.splice(0)) {
        await connector.close();
        await database.drop();
      }
    });

    async function openStore(options: {
      readonly purge?: string;
      readonly grants?: readonly string[];
      /** (Default: each table in a file of its own) */
      readonly files?: 'shared';
      /** Name of the table of visits. */
      readonly visits?: string;
    }) {
      const visits = options.visits ?? VISITS;
      const mark = `mark${randomUUID().replaceAll('-', '')}`;
      const database = await createMariadbDatabase(server.url);
      await server.run(`set global innodb_file_per_table = ${options.files === 'shared' ? 'off' : 'on'}`);
      await database.run([
        'create table people (id int primary key, email varchar(80), note varchar(200), fulltext key (note))',
        'create table letters (id int primary key, person int, body varchar(200), key (body), foreign key (person) references people (id))',
        `create table "${visits}" (id int primary key, person int, place varchar(200))
           partition by range (id) (partition low values less than (200), partition high values less than maxvalue)`,
        `insert into people values (1, 'ann@example.com', '${mark} is Ann'), (2, 'bob@example.com', 'bobsays that')`,
      ]);
      const numbers = Array.from({ length: 400 }, (_, i) => i);
      const rows = (text: string) =>
        numbers.map((i) => `(${i}, ${1 + (i % 2)}, '${i % 2 === 0 ? mark : 'bobsays'} ${text} ${i}')`);
      await database.run([
        `insert into letters values ${rows('letter').join(', ')}`,
        `insert into "${visits}" values ${rows('visit').join(', ')}`,
      ]);
      await flush(database, visits);
      const connector = createMysqlConnector({
        key: 'shop',
        url: options.grants === undefined ? database.url : await database.user(options.grants),
        datasets: parseDatasets(datasetWith(visits), 'shop.yaml'),
        clock: fixedClock('2026-01-01T00:00:00Z'),
        ...(options.purge === undefined ? {} : { options: { purge: options.purge } }),
      });
      opened.push({ connector, database });
      return { connector, database, where: (text = mark) => filesWith(server.folder, text) };
    }

    const eraseAnn = async (connector: Connector) =>
      await erase({ connector }, await located({ connector }, ANN));
    const levelsOf = ({ effects }: Awaited<ReturnType<typeof eraseAnn>>) =>
      Object.values(effects ?? {}).map(({ level }) => level);
    const copiesOf = ({ residuals }: Awaited<ReturnType<typeof eraseAnn>>) =>
      residuals.map(({ copy }) => copy).sort();

    test.each([
      [VISITS],
      // As files they have other names: of letters, of a part of another table, and of a device.
      ['Besuche früher, 日本, Жё'],
      ['people#p#old'],
      ['con'],
    ])(
      'OPTIMIZE TABLE takes what was erased and masked out of the files of tables, their indexes and partitions: %s',
      async (visits) => {
        const { connector, database, where } = await openStore({ purge: 'optimize', visits });
        const isOfTable = (file: string) => !LOGS.test(file);
        expect(where().filter(isOfTable).length).toBeGreaterThanOrEqual(4);
        const evidence = await eraseAnn(connector);
        expect(evidence.counts).toEqual({ people: 1, letters: 200, [visits]: 200 });
        expect(evidence.notes).toContainEqual(expect.stringContaining('written anew'));
        expect(levelsOf(evidence)).toEqual(['purged', 'purged', 'purged']);
        expect(copiesOf(evidence)).toEqual(['binary-log', 'innodb-logs']);
        await flush(database, visits);
        expect(where().filter(isOfTable)).toEqual([]);
        expect(where('bobsays').filter(isOfTable).length).toBeGreaterThanOrEqual(4);
        expect(await database.rows('select count(*), count(person) from letters')).toEqual([[400, 200]]);
        expect(await database.rows(`select id from people where match (note) against ('bobsays')`)).toEqual([
          [2],
        ]);
      },
    );

    test('erasures of one moment are all taken out, and none waits for another for good', async () => {
      const { connector, database } = await openStore({ purge: 'optimize' });
      const people = Array.from({ length: 12 }, (_, i) => `p${i}@example.com`);
      await database.run([
        `insert into people values ${people.map((email, i) => `(${1000 + i}, '${email}', 'x')`).join(', ')}`,
        `insert into letters values ${people.map((_, i) => `(${1000 + i}, ${1000 + i}, 'y')`).join(', ')}`,
      ]);
      // Some erase while what others erased is taken out.
      const notes: (string | undefined)[] = [];
      const work = people.values();
      const eraseNext = async () => {
        for (const value of work) {
          const scope = await located({ connector }, [{ type: 'email', value }]);
          notes.push((await eraseAtLast(connector, scope)).notes.at(-1));
        }
      };
      await Promise.all([eraseNext(), eraseNext(), eraseNext()]);
      expect(notes).toEqual(people.map(() => expect.stringContaining('written anew')));
      expect(await database.rows('select count(*) from people')).toEqual([[2]]);
    });

    test('without it the files of tables are a copy that is named', async () => {
      const { connector } = await openStore({});
      const evidence = await eraseAnn(connector);
      expect(levelsOf(evidence)).toEqual(['logical', 'logical', 'logical']);
      expect(copiesOf(evidence)).toEqual(['binary-log', 'innodb-logs', 'table-files']);
    });

    test.each([
      ['that may not see the files', [WORK, 'insert on *.*'], 'grant it PROCESS'],
      ['that may not optimize', [WORK, 'process on *.*'], 'needs SELECT and INSERT'],
    ])('a user %s erases, and nothing is promised', async (_, grants, note) => {
      const { connector, database } = await openStore({ purge: 'optimize', grants });
      const evidence = await eraseAnn(connector);
      expect(levelsOf(evidence)).toEqual(['logical', 'logical', 'logical']);
      expect(evidence.notes).toContainEqual(expect.stringContaining(note));
      expect(copiesOf(evidence)).toContain('table-files');
      expect(await database.rows('select id from people')).toEqual([[2]]);
    });

    test('nothing is promised of tables in a file that they share', async () => {
      const { connector } = await openStore({ purge: 'optimize', files: 'shared' });
      const evidence = await eraseAnn(connector);
      expect(levelsOf(evidence)).toEqual(['logical', 'logical', 'logical']);
      expect(evidence.notes).toContainEqual(expect.stringContaining('innodb_file_per_table'));
    });

    test('another way to purge is refused', async () => {
      await expect(openStore({ purge: 'vacuum' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    });
  });

/** Erases as requests do: again after a deadlock. */
async function eraseAtLast(connector: Connector, scope: LocatedScope): ReturnType<typeof erase> {
  try {
    return await erase({ connector }, scope);
  } catch (error) {
    if (!(error instanceof HabeasError) || !error.retryable) throw error;
    return await eraseAtLast(connector, scope);
  }
}

/** Writes all pages of the tables into their files. */
async function flush(database: MariadbDatabase, visits = VISITS): Promise<void> {
  await database.run([`flush tables people, letters, "${visits}" for export`, 'unlock tables']);
}

/** The files below a folder that have a text in them. */
function filesWith(folder: string, text: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile() && readFileSync(file).includes(text));
}
