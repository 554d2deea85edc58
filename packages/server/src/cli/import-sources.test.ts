import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDuckDb } from '../../test/duckdb.ts';
import { type HabeasHouse, openHabeasHouse } from '../../test/habeas-house.ts';
import { startMoto } from '../../test/moto-server.ts';
import { requireProgram } from '../../test/requirements.ts';
import { makeBucket, S3_OPTIONS } from '../../test/s3-bucket.ts';

const moto = requireProgram('moto_server', '--help');

let house: HabeasHouse;
beforeEach(async () => {
  house = await openHabeasHouse();
  writeFileSync(
    join(house.folder, 'purposes.yaml'),
    `purposes:
  - { code: analytics, name: { en: Analytics }, legal_basis: consent }
  - { code: ads, name: { en: Ads }, legal_basis: opt_out }`,
  );
  writeFileSync(join(house.folder, 'habeas.yaml'), 'consent: { purposes: purposes.yaml }');
});
afterEach(() => house[Symbol.asyncDispose]());

async function serve() {
  const { url, key } = await house.serve();
  const habeas = (...argv: readonly string[]) =>
    house.run(['consent', 'import', ...argv], { HABEAS_URL: url, HABEAS_API_KEY: key });
  const stored = async () => {
    const { rows } = await house.database.pool.query(
      'select count(*)::int as n, count(distinct subject)::int as people from habeas.consent_signals',
    );
    return rows[0];
  };
  const choicesOf = async (type: string, value: string) => {
    const response = await fetch(`${url}/api/v1/consent:read`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ identity: { type, value } }),
    });
    const { purposes = [] } = (await response.json()) as {
      purposes?: readonly { readonly code: string; readonly said: boolean | null }[];
    };
    return Object.fromEntries(purposes.map(({ code, said }) => [code, said]));
  };
  return { habeas, stored, choicesOf };
}

/** A table with a column for each purpose; of 12,000 people two rows are wrong. */
const FLAT = `select case when n = 7777 then null else 'email' end as identity_type, 'p' || n || '@example.org' as identity_value,
  timestamptz '2026-01-01 00:00:00+00' + to_seconds(n) as said_at, n % 2 = 0 as analytics, case when n = 9000 then 'maybe' when n % 3 = 0 then 'denied' end as ads,
  '2026-03' as notice_version, 'de' as notice_language from range(12000) t(n)`;

/** With structs, as lines of JSON have it. */
const NESTED = `select 'old-' || n as event_id, {'type': 'user_id', 'value': 'u' || n || chr(10)} as identity, timestamptz '2026-01-01 00:00:00+00' as said_at,
  map {'analytics': n % 2 = 0} as choices from range(10) t(n)`;

const LAKE = `dataset:
  - fides_key: lake
    collections:
      - name: avatars
        habeas: { on_erase: delete, objects: { key: "avatars/{user_id}.*" } }
        fields:
          - { name: user_id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
`;

it('stores what a Parquet file has, tells the rows that are wrong, goes on where it is told to, and changes nothing the second time', async () => {
  const { habeas, stored, choicesOf } = await serve();
  await using duckdb = await openDuckDb();
  const file = join(house.folder, 'old.parquet');
  await duckdb.run(`copy (${FLAT}) to '${file}' (format parquet, row_group_size 5000)`);
  const dry = await habeas('old.parquet', '--dry-run');
  expect([dry.exit, dry.out.split('\n').at(-2), (await stored()).n]).toEqual([
    1,
    '11998 rows can be stored, 2 cannot.',
    0,
  ]);
  const rest = await habeas('old.parquet', '--from-line', '10001');
  expect([rest.exit, rest.out]).toEqual([0, '2000 rows stored, 0 were there, 0 refused.\n']);
  const first = await habeas('old.parquet', '--refused', 'refused.jsonl');
  expect(first.out.split('\n').at(-2)).toBe('9998 rows stored, 2000 were there, 2 refused.');
  expect(
    readFileSync(join(house.folder, 'refused.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).line),
  ).toEqual([7778, 9001]);
  expect(first.out).not.toContain('example.org');
  expect((await habeas('old.parquet', '--json')).json()).toEqual({
    name: 'old.parquet',
    rows: 12_000,
    stored: 0,
    repeated: 11_998,
    checked: 0,
    refused: 2,
  });
  expect(await stored()).toEqual({ n: 11_998, people: 11_998 });
  expect(await choicesOf('email', 'p6@example.org')).toEqual({ analytics: true, ads: false });
  expect(await choicesOf('email', 'p7@example.org')).toEqual({ analytics: false, ads: null });
});

it('stores rows with structs and maps, whatever their texts hold', async () => {
  const { habeas, choicesOf, stored } = await serve();
  await using duckdb = await openDuckDb();
  await duckdb.run(`copy (${NESTED}) to '${join(house.folder, 'nested.parquet')}' (format parquet)`);
  expect((await habeas('nested.parquet')).out).toBe('10 rows stored, 0 were there, 0 refused.\n');
  expect((await habeas('nested.parquet', '--name', 'other')).out).toBe(
    '0 rows stored, 10 were there, 0 refused.\n',
  );
  expect(await choicesOf('user_id', 'u4\n')).toEqual({ analytics: true, ads: null });
  expect((await stored()).n).toBe(10);
});

it.each([
  ['double', "4711, 'nan'::double, 4711.5, 9007199254740994"],
  ['bigint', '4711'],
  ['decimal(20, 0)', '4711'],
])('takes numbers of the type %s for people only where it is sure whose they are', async (type, values) => {
  const { habeas, choicesOf, stored } = await serve();
  await using duckdb = await openDuckDb();
  await duckdb.run(
    `copy (select 'user_id' as identity_type, v::${type} as identity_value, timestamp '2026-01-01 00:00:00' as said_at, 1::tinyint as analytics, 0.0::double as ads
       from (select unnest([${values}]) as v)) to '${join(house.folder, 'numbers.parquet')}' (format parquet)`,
  );
  const { out } = await habeas('numbers.parquet');
  const wrong = values.split(',').length - 1;
  expect(out.split('\n').at(-2)).toBe(`1 rows stored, 0 were there, ${wrong} refused.`);
  expect(await choicesOf('user_id', '4711')).toEqual({ analytics: true, ads: false });
  expect((await stored()).n).toBe(1);
});

it.each([
  ['torn.parquet', 'cannot be read'],
  ['none.parquet', 'none.parquet cannot be read'],
  ['s3://nobodys-bucket/list.csv', 'No connection of the configuration has the bucket nobodys-bucket'],
])('says what is wrong with %s', async (file, words) => {
  const { habeas, stored } = await serve();
  await using duckdb = await openDuckDb();
  const whole = join(house.folder, 'whole.parquet');
  await duckdb.run(`copy (${NESTED}) to '${whole}' (format parquet)`);
  writeFileSync(join(house.folder, 'torn.parquet'), readFileSync(whole).subarray(0, -20));
  const { exit, notes } = await habeas(file);
  expect(exit).toBe(2);
  expect(notes.replace(/\s+/g, ' ')).toContain(words);
  expect((await stored()).n).toBe(0);
});

describe.skipIf(moto === undefined)('from a bucket', () => {
  it('stores lists of each format by the connection that has the bucket, and no other', async () => {
    await using server = await startMoto();
    const bucket = await makeBucket(server, { versioning: true });
    const other = await makeBucket(server);
    await using duckdb = await openDuckDb();
    const parquet = join(house.folder, 'list.parquet');
    await duckdb.run(`copy (${FLAT}) to '${parquet}' (format parquet, row_group_size 5000)`);
    await bucket.put('lists/year 2026/old.parquet', readFileSync(parquet));
    await bucket.put(
      'lists/new.csv',
      'identity_type,identity_value,said_at,analytics\nuser_id,u1,2026-01-01T00:00:00Z,9\n',
    );
    await bucket.put(
      'lists/new.csv',
      'identity_type,identity_value,said_at,analytics\nuser_id,u1,2026-01-01T00:00:00Z,1\nuser_id,"u2,2026-01-01T00:00:00Z,1\nuser_id,u3,2026-01-01T00:00:00Z,0\n',
    );
    const line = (n: number) =>
      `${JSON.stringify({ identity: { type: 'user_id', value: `v${n}` }, said_at: '2026-01-01T00:00:00Z', choices: { ads: false } })}\n`;
    await bucket.put('lists/lines.jsonl', Array.from({ length: 6_000 }, (_, n) => line(n)).join(''));
    await other.put('list.csv', 'identity_type,identity_value,said_at,analytics\n');
    writeFileSync(join(house.folder, 'lake.yml'), LAKE);
    writeFileSync(
      join(house.folder, 'habeas.yaml'),
      `consent: { purposes: purposes.yaml }
connections:
  - { key: lake, kind: s3, team: data, url: "${bucket.url}", options: ${JSON.stringify(S3_OPTIONS)}, datasets: [lake.yml] }
`,
    );
    const { habeas, stored, choicesOf } = await serve();
    const s3 = (key: string) => `s3://${bucket.name}/${key}`;
    const first = await habeas(s3('lists/year 2026/old.parquet'));
    expect([first.exit, first.out.split('\n').at(-2)]).toEqual([
      1,
      '11998 rows stored, 0 were there, 2 refused.',
    ]);
    // The same list from a disk has the same name, and so the same rows.
    expect((await habeas('list.parquet', '--name', 'old.parquet')).out).toContain(
      '0 rows stored, 11998 were there',
    );
    const csv = await habeas(s3('lists/new.csv'), '--json');
    expect(csv.json()).toEqual({ name: 'new.csv', rows: 3, stored: 2, repeated: 0, checked: 0, refused: 1 });
    expect((await habeas(s3('lists/lines.jsonl'))).out).toBe('6000 rows stored, 0 were there, 0 refused.\n');
    expect(await choicesOf('user_id', 'u1')).toEqual({ analytics: true, ads: null });
    expect((await stored()).n).toBe(11_998 + 2 + 6_000);
    expect((await habeas(s3('lists/none.csv'))).notes).toContain('has no such object');
    expect((await habeas(`s3://${other.name}/list.csv`)).notes).toContain('No connection');
  });
});
