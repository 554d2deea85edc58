import type { api } from '@habeas/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { callbackSecret, signStandardWebhook } from '../../src/access/index.ts';
import { loadMasterKey } from '../../src/foundation/index.ts';
import { type House, openHouse, type Served } from './house.ts';
import { differences, readStores } from './stores.ts';
import { answerTicketOf, settled } from './team.ts';

const PERSON = 17;
/** Requests of each organization that run at the same time. */
const MANY = [1, 2, 3, 4, 5, 6, 7, 8];

let ours: House;
let theirs: House;
let our: Served;
let their: Served;
/** An erasure and an access request of ours. */
let erasure: api.RequestView;
let access: api.RequestView;

beforeAll(async () => {
  ours = await openHouse({ people: 40 });
  // Even the master key is the same: only the organization tells the two apart.
  theirs = await openHouse({ people: 40, organization: 'umbra', state: ours });
  [our, their] = await Promise.all([ours.serve(), theirs.serve()]);
});

afterAll(async () => {
  await theirs[Symbol.asyncDispose]();
  await ours[Symbol.asyncDispose]();
});

const emailOf = (n: number) => [{ type: 'email', value: ours.acme.subject(n).email }];

test('requests of two organizations on one database act on their own systems only', async () => {
  const theirStores = await readStores(theirs);
  const ourStores = await readStores(ours);
  erasure = await our.api.ask({ right: 'erasure', identities: emailOf(PERSON) });
  const more = await Promise.all(
    [our, their].flatMap(({ api }) =>
      MANY.map(async (n) => ({ api, request: await api.ask({ right: 'access', identities: emailOf(n) }) })),
    ),
  );
  await answerTicketOf(ours, our.api, erasure.id);
  await our.api.until(erasure.id, 'completed');
  for (const { api, request } of more) {
    const tasks = await settled(api, request.id);
    expect(tasks.filter(({ state }) => state === 'blocked')).toEqual([]);
  }
  const first = more.find(({ api }) => api === our.api);
  if (first === undefined) throw new Error('We made no access request.');
  await answerTicketOf(ours, our.api, first.request.id);
  access = await our.api.until(first.request.id, 'completed');

  expect(differences(theirStores, await readStores(theirs))).toEqual({});
  expect(theirs.acme.effectsOf('accounts')).toEqual([]);
  expect(theirs.acme.effectsOf('mailer')).toEqual([]);
  const gone = differences(ourStores, await readStores(ours));
  expect(gone['accounts.accounts']?.gone).toEqual([
    expect.stringContaining(ours.acme.subject(PERSON).userId),
  ]);
});

test('the person whom we erased can be erased by them, too', async () => {
  const before = await readStores(theirs);
  const { id } = await their.api.ask({ right: 'erasure', identities: emailOf(PERSON) });
  await answerTicketOf(theirs, their.api, id);
  expect(await their.api.until(id, 'completed')).toMatchObject({ matched: true });
  const gone = differences(before, await readStores(theirs));
  expect(gone['accounts.accounts']?.gone).toHaveLength(1);
  expect(gone['mailer.recipients']?.gone).toHaveLength(1);
});

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly open: boolean;
}

async function operations({ api }: Served): Promise<readonly Operation[]> {
  const { paths } = await api.get<{
    paths: Record<string, Record<string, { security?: readonly unknown[] }>>;
  }>('/openapi.json');
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => ({
      method: method.toUpperCase(),
      path,
      open: security?.length === 0,
    })),
  );
}

/** Everything that names something of ours: ids of requests, tasks, audit entries, events, keys and clients. */
async function ourIds(): Promise<readonly string[]> {
  const { pool } = ours.database;
  const { rows } = await pool.query<{ id: string }>(
    `select id from habeas.requests where organization_id = 'acme'
     union all select id from habeas.tasks where organization_id = 'acme'
     union all select id from habeas.audit_entries where organization_id = 'acme'
     union all select id from habeas.outbox_events where organization_id = 'acme'
     union all select id from habeas.api_keys where organization_id = 'acme'
     union all select id from habeas.map_clients where organization_id = 'acme'
     union all select address from habeas.map_clients where organization_id = 'acme'
     union all select key_id from habeas.signing_keys where organization_id = 'acme'`,
  );
  return rows.map(({ id }) => id);
}

const BODIES = [
  undefined,
  { reason: 'a test' },
  { reason: 'ComplexityOfProcess' },
  { reason: 'identity' },
  { role: 'auditor' },
  { note: 'a test', count: 0 },
  { callback_origins: ['https://partner.example'] },
];
const WITH_KEY = [...BODIES, { team: 'data', reason: 'a test' }];

test('no route of theirs shows or changes anything of ours, by whatever id', async () => {
  const [client] = (await our.api.get<{ items: api.ClientView[] }>('/api/v1/clients')).items;
  const ids = await ourIds();
  const before = await ours.database.pool.query(
    `select id, state, reason from habeas.requests where organization_id = 'acme' order by id`,
  );
  const known = await operations(their);
  expect(known.length).toBeGreaterThan(30);
  const tried: string[] = [];
  for (const request of [erasure, access]) {
    const tasks = await our.api.tasks(request.id);
    const ticket = tasks.find(({ kind }) => kind === 'ticket');
    for (const { method, path, open } of known.filter(({ path: one }) => one !== '/api/v1/events')) {
      // The same call as for the request before; an address without a key may not make many.
      if (open && !path.includes('{') && request === access) continue;
      const subject = path.includes('/tickets/')
        ? ticket?.id
        : path.includes('/clients/')
          ? client?.id
          : request.id;
      const filled = path
        .replace('{id}', subject ?? '')
        .replace('{taskId}', ticket?.id ?? '')
        .replace('{key}', 'shop')
        .replace('{data_type}', 'email');
      for (const body of method === 'GET' ? [undefined] : open ? BODIES : WITH_KEY) {
        const answer = await their.api.call(method, filled, body === undefined ? {} : { body });
        const answered = `${method} ${path} answered ${answer.status}`;
        if (path.includes('{id}')) expect([404, 400], `${answered}: ${answer.text}`).toContain(answer.status);
        expect(
          ids.filter((id) => answer.text.includes(id) && id !== subject && id !== ticket?.id),
          answered,
        ).toEqual([]);
        tried.push(`${method} ${path} ${answer.status}`);
      }
    }
  }
  // Where a body is checked first, one of them fits; then it is the id that is not there.
  const byId = known.filter(({ path, open }) => path.includes('{id}') && !open);
  expect(byId.filter(({ method, path }) => !tried.includes(`${method} ${path} 404`))).toEqual([]);
  const after = await ours.database.pool.query(
    `select id, state, reason from habeas.requests where organization_id = 'acme' order by id`,
  );
  expect(after.rows).toEqual(before.rows);
});

test('a key of ours opens no door of theirs', async () => {
  for (const { method, path } of (await operations(their)).filter(({ open }) => !open)) {
    const answer = await their.api.call(method, path, {
      headers: { authorization: `Bearer ${our.api.key}` },
    });
    expect([answer.status, answer.json<api.Problem>().code], `${method} ${path}`).toEqual([
      401,
      'UNAUTHENTICATED',
    ]);
  }
});

test('lists, searches and the event stream of theirs hold nothing of ours', async () => {
  const ids = await ourIds();
  const lists = ['requests', 'tickets', 'clients', 'services', 'map', 'gaps', 'connections', 'catalog'];
  const paths = [
    ...lists.map((name) => `/api/v1/${name}`),
    '/api/v1/requests?limit=500',
    `/api/v1/requests?cursor=${erasure.id.replace(/.$/, 'z')}`,
    '/api/v1/tickets?team=data&limit=500',
    '/api/v1/audit?limit=500',
    '/api/v1/audit?cursor=999999999',
    `/api/v1/audit?subject=${erasure.id}`,
    '/metrics',
  ];
  for (const path of paths) {
    const { status, text } = await their.api.call('GET', path);
    expect([path, status, ids.filter((id) => text.includes(id))]).toEqual([path, 200, []]);
  }
  const theirEvents = await streamed(their, '?after=0');
  expect(theirEvents).toContain('request.received');
  expect(ids.filter((id) => theirEvents.includes(id))).toEqual([]);
  expect(await streamed(their, `?after=0&request_id=${erasure.id}`)).not.toContain('data:');
});

/** What an event stream sends until it has sent nothing for a second. */
async function streamed({ api }: Served, query: string): Promise<string> {
  const controller = new AbortController();
  const response = await fetch(`${api.url}/api/v1/events${query}`, {
    headers: { authorization: `Bearer ${api.key}` },
    signal: controller.signal,
  });
  let text = '';
  const quiet = () => setTimeout(() => controller.abort(), 1_000);
  let timer = quiet();
  try {
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      clearTimeout(timer);
      timer = quiet();
    }
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  }
  return text;
}

test('a callback about a task of ours is none of theirs, even with the right secret', async () => {
  const { pool } = ours.database;
  const tasks = await our.api.tasks(erasure.id);
  const task = tasks.find(({ key }) => key === 'erase:mailer');
  const secret = callbackSecret(loadMasterKey({ dataDir: ours.dataDir, environment: {} }), task?.id ?? '');
  const entries = () =>
    pool.query(`select count(*) from habeas.audit_entries where organization_id = 'acme'`);
  const before = (await entries()).rows;
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const message = { id: 'msg_1', timestamp, body: '{}' };
  const headers = {
    'content-type': 'application/json',
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signStandardWebhook({ secret, ...message }),
  };
  const answer = await their.api.call('POST', `/api/v1/callbacks/${task?.id}`, { headers, raw: '{}' });
  expect([answer.status, answer.json<api.Problem>().code]).toEqual([404, 'NOT_FOUND']);
  const own = await our.api.call('POST', `/api/v1/callbacks/${task?.id}`, { headers, raw: '{}' });
  expect(own.status).toBe(204);
  expect((await entries()).rows).toEqual(before);
});

test('every row of the state says whose it is', async () => {
  const { pool } = ours.database;
  const { rows: tables } = await pool.query<{ name: string }>(
    `select t.tablename as name from pg_tables t where t.schemaname = 'habeas' and t.tablename not like 'kysely%'`,
  );
  expect(tables.length).toBeGreaterThan(10);
  for (const { name } of tables) {
    const { rows } = await pool.query<{ organization_id: string }>(
      `select distinct organization_id from habeas."${name}"`,
    );
    for (const row of rows) expect(['acme', 'umbra'], name).toContain(row.organization_id);
  }
});
