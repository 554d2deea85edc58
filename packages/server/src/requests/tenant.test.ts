import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { eventually } from '../../test/eventually.ts';
import { runHabeas } from '../../test/run-habeas.ts';
import { createLogger, loadConfig } from '../foundation/index.ts';
import { openState } from '../main.ts';

/** Tenants 1 to 4, each with people of its own; one person is in several of them, under the same address. */
const SHOP = `
  create table tenants (id int primary key, name text not null);
  create table users (id int primary key, tenant_id int not null references tenants, email text not null, name text not null);
  create table projects (id int primary key, tenant_id int not null references tenants, title text not null);
  create table tasks (id int primary key, project_id int not null references projects, assignee int references users, note text not null);
  create table comments (id int primary key, task_id int not null references tasks, author int references users, body text not null);
  create table addresses (id int primary key, street text not null);
  create table user_addresses (user_id int references users, address_id int references addresses, primary key (user_id, address_id));
  create table subscribers (email text primary key, since date not null);
  insert into tenants select t, 'Tenant ' || t from generate_series(1, 4) t;
  insert into users select t * 1000 + n, t, case when n = 1 then 'everywhere@example.com' else 'u' || n || '@t' || t || '.example' end, 'User ' || n
    from generate_series(1, 4) t, generate_series(1, 400) n;
  insert into projects select t * 100 + n, t, 'Project' from generate_series(1, 4) t, generate_series(1, 20) n;
  insert into tasks select t * 10000 + n, t * 100 + 1 + n % 20, t * 1000 + 1 + n % 400, 'note' from generate_series(1, 4) t, generate_series(1, 1200) n;
  insert into comments select t * 100000 + n, t * 10000 + 1 + n % 1200, t * 1000 + 1 + n % 400, 'body' from generate_series(1, 4) t, generate_series(1, 3000) n;
  insert into addresses select n, 'Street ' || n from generate_series(1, 500) n;
  insert into user_addresses select id, 1 + id % 500 from users;
  insert into subscribers select distinct email, date '2025-01-01' from users;`;

const TABLES = [
  'tenants',
  'users',
  'projects',
  'tasks',
  'comments',
  'addresses',
  'user_addresses',
  'subscribers',
] as const;

const reference = (field: string) => ({ references: [{ dataset: 'saas', field, direction: 'from' }] });
const keyed = { name: 'id', fides_meta: { primary_key: true } };
const collection = (name: string, fields: readonly object[]) => ({
  name,
  habeas: { on_erase: 'delete' },
  fields,
});
const DATASET = {
  dataset: [
    {
      fides_key: 'saas',
      collections: [
        collection('tenants', [
          { name: 'id', fides_meta: { primary_key: true, identity: 'tenant_id' } },
          { name: 'name', data_categories: ['user.name'] },
        ]),
        collection('users', [
          keyed,
          { name: 'tenant_id', fides_meta: { identity: 'tenant_id', ...reference('tenants.id') } },
          { name: 'email', data_categories: ['user.contact.email'], fides_meta: { identity: 'email' } },
          { name: 'name', data_categories: ['user.name'] },
        ]),
        collection('projects', [
          keyed,
          { name: 'tenant_id', fides_meta: reference('tenants.id') },
          { name: 'title', data_categories: ['user.content.private'] },
        ]),
        collection('tasks', [
          keyed,
          { name: 'project_id', fides_meta: reference('projects.id') },
          { name: 'assignee', fides_meta: reference('users.id') },
          { name: 'note', data_categories: ['user.content.private'] },
        ]),
        collection('comments', [
          keyed,
          { name: 'task_id', fides_meta: reference('tasks.id') },
          { name: 'author', fides_meta: reference('users.id') },
          { name: 'body', data_categories: ['user.content.private'] },
        ]),
        collection('user_addresses', [
          { name: 'user_id', fides_meta: { primary_key: true, ...reference('users.id') } },
          {
            name: 'address_id',
            fides_meta: {
              primary_key: true,
              references: [{ dataset: 'saas', field: 'addresses.id', direction: 'to' }],
            },
            habeas: { on_erase: 'delete', share: 'shared' },
          },
        ]),
        collection('addresses', [
          keyed,
          { name: 'street', data_categories: ['user.contact.address.street'] },
        ]),
        collection('subscribers', [
          {
            name: 'email',
            data_categories: ['user.contact.email'],
            fides_meta: { primary_key: true, identity: 'email' },
          },
          { name: 'since', data_categories: ['system.operations'] },
        ]),
      ],
    },
  ],
};

/** What has to be left, by SQL alone: everything that does not belong to tenant 2, and addresses where somebody else lives. */
const ORACLE: Readonly<Record<(typeof TABLES)[number], string>> = {
  tenants: 'id <> 2',
  users: 'tenant_id <> 2',
  projects: 'tenant_id <> 2',
  tasks: 'project_id in (select id from public.projects where tenant_id <> 2)',
  comments:
    'task_id in (select t.id from public.tasks t join public.projects p on p.id = t.project_id where p.tenant_id <> 2)',
  addresses:
    'id in (select address_id from public.user_addresses ua join public.users u on u.id = ua.user_id where u.tenant_id <> 2) or not exists (select 1 from public.user_addresses ua where ua.address_id = addresses.id)',
  user_addresses: 'user_id in (select id from public.users where tenant_id <> 2)',
  subscribers: 'true',
};

let shop: TestDatabase;
let state: TestDatabase;
let folder: string;
let opened: Awaited<ReturnType<typeof openState>>;
let server: Awaited<ReturnType<typeof opened.createServer>>;
let url: string;

beforeAll(async () => {
  [shop, state] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  await sql.raw(`set search_path to public; ${SHOP}`).execute(shop.db);
  folder = mkdtempSync(join(tmpdir(), 'habeas-tenant-'));
  writeFileSync(join(folder, 'saas.yml'), stringify(DATASET));
  writeFileSync(
    join(folder, 'habeas.yaml'),
    stringify({
      connections: [{ key: 'saas', kind: 'postgres', team: 'saas', url: shop.url, datasets: ['saas.yml'] }],
    }),
  );
  opened = await openState({
    databaseUrl: state.url,
    organizationId: 'default',
    dataDir: join(folder, '.habeas'),
    environment: {},
    logger: createLogger({ level: 'silent' }),
  });
  const config = loadConfig({ file: join(folder, 'habeas.yaml'), environment: {} });
  server = await opened.createServer(config, { publicUrl: 'http://127.0.0.1:1' });
  url = await server.listen({ host: '127.0.0.1', port: 0 });
});

afterAll(async () => {
  await server.close();
  await opened.close();
  await Promise.all([shop.close(), state.close()]);
  rmSync(folder, { recursive: true });
});

/** Every row as text, sorted; byte for byte what PostgreSQL writes. */
async function rowsOf(
  where: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (const table of TABLES) {
    const { rows } = await shop.pool.query(
      `select ${table}::text as row from public.${table} as ${table} where ${where[table] ?? 'true'} order by 1`,
    );
    found.set(
      table,
      rows.map(({ row }) => row),
    );
  }
  return found;
}

const api = async (method: string, path: string, body?: object) => {
  const answer = await fetch(new URL(path, url), {
    method,
    headers: {
      authorization: `Bearer ${opened.firstKey}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, never> };
};

const tenant = (value: string) => ({ right: 'erasure', identities: [{ type: 'tenant_id', value }] });

describe('an account that is closed', () => {
  it('names no person too, and can be asked for erasure alone', async () => {
    const both = {
      ...tenant('2'),
      identities: [...tenant('2').identities, { type: 'email', value: 'u2@t2.example' }],
    };
    expect((await api('POST', '/api/v1/requests', both)).body).toMatchObject({
      code: 'BAD_INPUT',
      detail: expect.stringContaining('email would reach'),
    });
    expect((await api('POST', '/api/v1/requests', { ...tenant('2'), right: 'access' })).body).toMatchObject({
      code: 'BAD_INPUT',
    });
  });

  it('is counted first, waits for a person, and then is gone with its people, while every other row is the same to the byte', async () => {
    const before = await rowsOf({});
    const kept = await rowsOf(ORACLE);
    const run = (...argv: readonly string[]) =>
      runHabeas(['request', 'erase-tenant', ...argv], {
        folder,
        environment: { HABEAS_URL: url, HABEAS_API_KEY: opened.firstKey ?? '' },
      });

    const counted = await run('tenant_id=2');
    expect([counted.exit, counted.notes]).toEqual([0, '']);
    for (const [table, count] of [
      ['users', 400],
      ['projects', 20],
      ['tasks', 1_200],
      ['comments', 3_000],
    ] as const) {
      expect(counted.out).toMatch(new RegExp(`saas +${table} +${count}\\b`));
    }
    expect(await rowsOf({})).toEqual(before);

    const made = await run('tenant_id=2', '--make');
    const id = /Request (req_\w+) waits for approval/.exec(made.out)?.[1];
    expect([made.exit, id]).toEqual([3, expect.stringMatching(/^req_/)]);
    expect((await api('GET', `/api/v1/requests/${id}`)).body).toMatchObject({
      state: 'approving',
      identity_types: ['tenant_id'],
    });
    expect(await rowsOf({})).toEqual(before);

    expect((await api('POST', `/api/v1/requests/${id}:approve`)).status).toBe(200);
    await eventually(
      'it is completed',
      async () => (await api('GET', `/api/v1/requests/${id}`)).body.state === 'completed',
      60,
    );
    expect(await rowsOf({})).toEqual(kept);
    expect(kept.get('users')).toHaveLength(1_200);
    // Who is also a person elsewhere stays there, and what only an address leads to is not the tenant's.
    expect(JSON.stringify([...kept])).toContain('everywhere@example.com');
    const types = (
      await state.pool.query('select distinct type from habeas.request_identities where request_id = $1', [
        id,
      ])
    ).rows;
    expect(types).toEqual([{ type: 'tenant_id' }]);
  });

  it('that nobody knows changes nothing', async () => {
    const before = await rowsOf({});
    const { body } = await api('POST', '/api/v1/requests', tenant('4711'));
    await api('POST', `/api/v1/requests/${body.id}:approve`);
    await eventually(
      'it ends',
      async () => (await api('GET', `/api/v1/requests/${body.id}`)).body.state === 'completed',
    );
    expect((await api('GET', `/api/v1/requests/${body.id}`)).body).toMatchObject({ matched: false });
    expect(await rowsOf({})).toEqual(before);
  });

  it('says what it does not reach', async () => {
    const { body } = await api('POST', '/api/v1/plans', { right: 'erasure', identity_types: ['tenant_id'] });
    expect(JSON.stringify(body)).toContain('subscribers');
    expect(JSON.stringify(body)).toMatch(/"approval":"required"/);
    expect(JSON.stringify(body.tasks)).not.toContain('resolve');
  });
});
