import { expect, test } from 'vitest';
import { collect, erase, located, sum } from '../../../test/connector-contract.ts';
import { createTestDatabase } from '../../../test/database.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { systemClock } from '../../foundation/index.ts';
import { createPostgresConnector } from './postgres-connector.ts';

/** Types that a key can have, with values that are hard to keep as they are. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  bigint: ['9223372036854775807', '-9223372036854775808', '0'],
  numeric: ['0.1000', '123456789012345678901234567890.123456789', 'NaN'],
  'double precision': ['0.1', '1e-300', '3.141592653589793', 'Infinity'],
  real: ['0.1', '16777216'],
  text: ['', ' ', '{a,"b"}', 'NULL', "it's", 'back\\slash', 'line\nbreak', 'Ünïcödé 🦊', '(1,2)'],
  'character varying(20)': ['a', 'A'],
  'character(5)': ['a', 'ab'],
  uuid: ['3b241101-e2bb-4255-8caf-4136c566a962', '00000000-0000-0000-0000-000000000000'],
  bytea: ['\\x00ff5c27', '\\x'],
  boolean: ['true', 'false'],
  date: ['0044-03-15 BC', '9999-12-31', 'infinity'],
  'timestamp with time zone': ['2025-03-30 01:59:59.999999+00', '-infinity'],
  'timestamp without time zone': ['2025-10-26 02:30:00'],
  'time with time zone': ['12:00:00+05:30'],
  interval: ['1 mon 2 days 03:04:05.678', '-1 years'],
  inet: ['2001:db8::1', '192.0.2.0/24'],
  jsonb: ['{"a": [1, null, "x,y"]}', 'null', '"text"'],
  'text[]': ['{a,NULL,"NULL","c,d","q\\"q"}', '{}'],
  'integer[]': ['{{1,2},{3,4}}'],
  '"Mood"': ['sad day', 'glad'],
  int4range: ['[1,5)', 'empty'],
  '"odd domain"': ['7'],
};

const type = (name: string) => name.replaceAll(/[^a-z0-9]/gi, '_');

test.each(Object.entries(KEYS))(
  'keys and values of the type %s are found, exported and erased as they are',
  async (name, values) => {
    await using database = await createTestDatabase();
    const column = '"the ""key"" of it"';
    await database.pool.query(`
    set search_path = public;
    create type "Mood" as enum ('sad day', 'glad');
    create domain "odd domain" as int check (value > 0);
    create table "Owner ${type(name)}" (${column} ${name} primary key, email text);
    create table "select" ("order" int generated always as identity primary key, "from" ${name}, "value" ${name}, seen timestamptz default now());
    set search_path = habeas`);
    for (const [index, value] of values.entries()) {
      await database.pool.query(`insert into public."Owner ${type(name)}" values ($1, $2)`, [
        value,
        `p${index}@example.com`,
      ]);
      await database.pool.query('insert into public."select" ("from", "value") values ($1, $1), ($1, null)', [
        value,
      ]);
    }
    const connector = createPostgresConnector({
      key: 'odd',
      url: database.url,
      datasets: parseDatasets(
        JSON.stringify({
          dataset: [
            {
              fides_key: 'odd',
              collections: [
                {
                  name: `Owner ${type(name)}`,
                  habeas: { on_erase: 'delete' },
                  fields: [{ name: 'the "key" of it' }, { name: 'email', fides_meta: { identity: 'email' } }],
                },
                {
                  name: 'select',
                  habeas: {
                    on_erase: 'delete',
                    references: [
                      {
                        name: 'owner',
                        columns: ['from'],
                        target: `Owner ${type(name)}`,
                        target_columns: ['the "key" of it'],
                      },
                    ],
                  },
                  fields: [{ name: 'order' }, { name: 'from' }, { name: 'value' }, { name: 'seen' }],
                },
              ],
            },
          ],
        }),
        'odd.yaml',
      ),
      clock: systemClock,
    });
    try {
      for (const [index, value] of values.entries()) {
        const person = [{ type: 'email', value: `p${index}@example.com` }];
        const typed = `$1::${name.startsWith('"') ? `public.${name}` : name}`;
        const { rows } = await database.pool.query(
          `select ${name === 'inet' ? `abbrev(${typed})` : `${typed}::text`} as text`,
          [value],
        );
        const printed: string = rows[0].text;
        const { items } = await collect({ connector }, person);
        expect(items.map(({ row }) => row['the "key" of it'] ?? row.value ?? null)).toEqual([
          printed,
          printed,
          null,
        ]);
        const scope = await located({ connector }, person);
        expect((await erase({ connector }, scope)).counts).toEqual({ [`Owner ${type(name)}`]: 1, select: 2 });
        expect(sum((await connector.verify(scope)).remaining)).toBe(0);
      }
      const { rows } = await database.pool.query(
        `select (select count(*) from public."select")::int as left`,
      );
      expect(rows).toEqual([{ left: 0 }]);
    } finally {
      await connector.close();
    }
  },
);
