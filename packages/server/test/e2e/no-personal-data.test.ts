import { Writable } from 'node:stream';
import type { api } from '@habeas/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../../../../examples/acme/free-ports.ts';
import { createLogger, loadConfig } from '../../src/foundation/index.ts';
import { openState } from '../../src/main.ts';
import { type Api, apiOf, type CallOptions } from './api.ts';
import { CANARY, canaryIn, releaseCanary } from './canary.ts';
import { GOSSIP_WAYS, type GossipService, startGossip } from './gossip-service.ts';
import { type House, openHouse, type Served } from './house.ts';
import { readStores } from './stores.ts';
import { answerTicketOf, settled } from './team.ts';

let house: House;
let gossip: GossipService;
/** A server in a process of its own, and one in this process that logs everything there is to log. */
let served: Served;
let inProcess: Api;
const closing = new AsyncDisposableStack();
let log = '';
/** Everything that was answered, printed or streamed, by where it came from. */
const told: (readonly [where: string, text: string])[] = [];

const identities = [{ type: 'email', value: CANARY.email }];

beforeAll(async () => {
  gossip = closing.use(await startGossip());
  house = closing.use(await openHouse({ people: 40 }));
  await releaseCanary(house);
  const sources = [...house.acme.services, gossip].map(({ metricsUrl }) => ({ url: metricsUrl }));
  // Each failure is the last one, so that what it says stays to be read.
  const retries = { max_failures: 1 };
  const file = house.configure('gossip.yaml', { map: { scrape: sources }, requests: { retries } });
  served = await house.serve(file);
  inProcess = await startInProcess(file);
});

afterAll(async () => {
  await closing.disposeAsync();
});

async function startInProcess(file: string): Promise<Api> {
  const destination = new Writable({
    write(chunk, _encoding, done) {
      log += String(chunk);
      done();
    },
  });
  const state = await openState({
    databaseUrl: house.database.url,
    organizationId: 'acme',
    dataDir: house.dataDir,
    environment: {},
    logger: createLogger({ level: 'trace', destination }),
  });
  closing.defer(() => state.close());
  const config = loadConfig({ file, environment: house.environment });
  const [port = 0] = await freePorts(1);
  const server = await state.createServer(config, { publicUrl: `http://127.0.0.1:${port}` });
  closing.defer(() => server.close());
  return apiOf({ url: await server.listen({ host: '127.0.0.1', port }), key: house.key });
}

/** Both servers answer; what they say is kept. */
async function tell(method: string, path: string, options: CallOptions = {}): Promise<string> {
  let text = '';
  for (const api of [inProcess, served.api]) {
    const answer = await api.call(method, path, options);
    const headers = JSON.stringify([...answer.headers]);
    text = answer.text;
    told.push([`${method} ${path} ${JSON.stringify(options)} ${api.url}`, headers + text]);
  }
  return text;
}

async function leaveOut(id: string, tasks: readonly api.TaskView[]): Promise<void> {
  for (const task of tasks.filter(({ state }) => state === 'blocked')) {
    await inProcess.post(`/api/v1/requests/${id}/tasks/${task.id}:skip`, { reason: 'It does not work.' });
  }
}

/** Whatever a person of the organization reads about a request, save the package and one ticket. */
async function readAll(id: string): Promise<void> {
  for (const path of ['', '/plan', '/tasks', '/receipt']) await tell('GET', `/api/v1/requests/${id}${path}`);
  for (const list of [
    'requests',
    'tickets',
    'audit?limit=500',
    `audit?subject=${id}`,
    'clients',
    'gaps',
    'map',
  ]) {
    await tell('GET', `/api/v1/${list}`);
  }
  await tell('GET', '/metrics');
}

describe('a person whose values occur nowhere else', () => {
  test('asks for access, which the canary finds where it has to be', async () => {
    const { id } = await inProcess.ask({ right: 'access', identities });
    const tasks = await settled(inProcess, id);
    expect(tasks.filter(({ state }) => state === 'blocked').map(({ system }) => system)).toEqual(['gossip']);
    await leaveOut(id, tasks);
    const ticket = tasks.find(({ kind }) => kind === 'ticket');
    const detail = await inProcess.call('GET', `/api/v1/tickets/${ticket?.id}`);
    expect(canaryIn(detail.text)).toEqual(['email', 'userId']);
    await answerTicketOf(house, served.api, id);
    await served.api.until(id, 'completed');
    await readAll(id);
    const shown = await house.run(['request', 'show', id], { server: served });
    const saved = await house.run(['package', 'fetch', id, '--output', 'package.zip'], { server: served });
    for (const [name, { out, notes }] of Object.entries({ shown, saved }))
      told.push([`habeas ${name}`, out + notes]);
    expect([shown.exit, saved.exit]).toEqual([0, 0]);
  });

  test('asks again and again, until the gossip has answered in each of its ways', async () => {
    const made = await Promise.all(
      Array.from({ length: GOSSIP_WAYS }, () => inProcess.ask({ right: 'access', identities })),
    );
    for (const { id } of made) {
      await settled(inProcess, id);
      expect((await inProcess.task(id, 'collect:gossip')).state).toBe('blocked');
      await tell('GET', `/api/v1/requests/${id}/tasks`);
    }
    expect(gossip.heard.filter((path) => path.endsWith(':get')).length).toBeGreaterThanOrEqual(GOSSIP_WAYS);
  });

  test('asks for erasure, at a service that gossips and a database that quotes rows', async () => {
    await house.shop.pool.query(
      `create function public.gossip() returns trigger language plpgsql as
         $$ begin raise exception 'cannot delete %', old using detail = old.email; end $$;
       create trigger gossip before delete on public.customers for each row execute function public.gossip()`,
    );
    const asked = await house.run(['request', 'erase', '--email', CANARY.email, '--json'], {
      server: served,
    });
    told.push(['habeas request erase', asked.out + asked.notes]);
    const { id }: api.RequestView = JSON.parse(asked.out);
    const tasks = await settled(served.api, id);
    const blocked = tasks.filter(({ state }) => state === 'blocked');
    expect(blocked.map(({ key }) => key).sort()).toEqual(['erase:gossip', 'erase:shop']);
    await readAll(id);
    await house.shop.pool.query('drop function public.gossip cascade');
    const shop = blocked.find(({ system }) => system === 'shop');
    if (shop !== undefined) await inProcess.retry(shop);
    await leaveOut(id, await settled(inProcess, id));
    await settled(inProcess, id);
    await answerTicketOf(house, inProcess, id);
    await leaveOut(id, await settled(inProcess, id));
    await inProcess.until(id, 'completed');
    await readAll(id);
    expect(gossip.heard.filter((path) => path.endsWith(':delete')).length).toBeGreaterThan(0);
    const shown = await house.run(['request', 'show', id], { server: served });
    const audited = await house.run(['audit', '--limit', '500'], { server: served });
    const listed = await house.run(['tickets'], { server: served });
    for (const [name, { out, notes }] of Object.entries({ shown, audited, listed }))
      told.push([`habeas ${name}`, out + notes]);
  });

  test('is written into paths, queries, headers and broken bodies by careless callers', async () => {
    const { email, ip, userId } = CANARY;
    const inUrl = encodeURIComponent(email);
    const body = { right: 'access', identities };
    for (const path of [
      `/${inUrl}`,
      `/api/v1/requests/${inUrl}`,
      `/api/v1/requests/${inUrl}/tasks`,
      `/api/v1/tickets/${inUrl}`,
      `/api/v1/requests/${userId}@x:cancel`,
      `/api/v1/requests?cursor=${inUrl}&limit=${inUrl}`,
      `/api/v1/requests?state=${inUrl}`,
      `/api/v1/audit?subject=${inUrl}`,
      `/api/v1/events?request_id=${inUrl}&after=${inUrl}`,
      `/api/v1/tickets?team=${inUrl}`,
    ]) {
      await tell('GET', path, {
        headers: { 'user-agent': 'canary', 'x-forwarded-for': ip, referer: `http://x/${inUrl}` },
      });
      await tell('POST', path, { body: {} });
    }
    const json = { 'content-type': 'application/json' };
    for (const options of [
      { raw: `{"right": "access", "identities": [{"type": "email", "value": "${email}"`, headers: json },
      { body: { ...body, [email]: 1 } },
      { body: { right: email, identities: [{ type: email, value: '' }] } },
      { body: { ...body, dry_run: email } },
      { raw: email, headers: { 'content-type': 'text/plain' } },
      { body, headers: { 'idempotency-key': inUrl } },
      { body: { ...body, right: 'erasure', dry_run: true }, headers: { 'idempotency-key': inUrl } },
      { body, headers: { authorization: `Bearer ${inUrl}` } },
      { body, headers: { authorization: `Basic ${Buffer.from(`${email}:x`).toString('base64')}` } },
    ]) {
      await tell('POST', '/api/v1/requests', options);
    }
    const wrong = await Promise.all([
      house.run(['request', 'show', email], { server: served }),
      house.run(['request', 'access', '--email', email, '--url', 'http://127.0.0.1:1']),
      house.run(['request', 'access', '--identity', `${email}=${email}`], { server: served }),
    ]);
    expect(wrong.map(({ exit }) => exit)).not.toContain(0);
    wrong.forEach(({ out, notes }, index) => {
      told.push([`habeas with wrong input ${index}`, out + notes]);
    });
  });
});

describe('none of it is', () => {
  test('in an answer, save those about one ticket and the package', () => {
    expect(told.length).toBeGreaterThan(80);
    const found = told.flatMap(([where, text]) => (canaryIn(text).length > 0 ? [`${where}: ${text}`] : []));
    expect(found).toEqual([]);
  });

  test('in the log of a server, whatever its level, or in what a server prints', () => {
    expect(log.split('\n').length).toBeGreaterThan(100);
    expect(log.split('\n').filter((line) => canaryIn(line).length > 0)).toEqual([]);
    expect(
      served
        .printed()
        .split('\n')
        .filter((line) => canaryIn(line).length > 0),
    ).toEqual([]);
  });

  test('in the event stream', async () => {
    const controller = new AbortController();
    const response = await fetch(`${served.url}/api/v1/events?after=0`, {
      headers: { authorization: `Bearer ${house.key}` },
      signal: controller.signal,
    });
    let stream = '';
    for await (const chunk of response.body ?? []) {
      stream += Buffer.from(chunk).toString();
      if ((stream.match(/request\.completed/g)?.length ?? 0) >= 2) break;
    }
    controller.abort();
    expect(canaryIn(stream)).toEqual([]);
  });

  test('in any table of Habeas, of its job queue, or in a statement that PostgreSQL shows', async () => {
    const { pool } = house.database;
    const { rows: tables } = await pool.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
       where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    expect(tables.length).toBeGreaterThan(20);
    const found: string[] = [];
    let rows = 0;
    for (const { name } of tables) {
      const dump = await pool.query<{ row: string }>(`select t::text as row from ${name} t`);
      rows += dump.rows.length;
      for (const { row } of dump.rows) if (canaryIn(row).length > 0) found.push(`${name}: ${row}`);
    }
    expect(rows).toBeGreaterThan(200);
    expect(found).toEqual([]);
    const statements = await pool.query<{ query: string }>('select query from pg_stat_activity');
    expect(statements.rows.filter(({ query }) => canaryIn(query).length > 0)).toEqual([]);
  });

  test('in a store of the company any more, save the name that tax law keeps', async () => {
    const left = [...(await readStores(house))].flatMap(([place, rows]) =>
      rows.flatMap((row) => canaryIn(row).map((what) => `${place}: ${what}`)),
    );
    expect(left).toEqual(['shop.order_audit: name']);
  });
});
