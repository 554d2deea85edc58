import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { type InMemoryApplication, inMemoryApplication, TEST_KEY } from '../../test/in-memory-application.ts';
import { appendAudit, auditMigrations } from '../audit/index.ts';
import { createHttpServer, type HttpServer } from './index.ts';

const headers = { authorization: `Bearer ${TEST_KEY}` };

let database: TestDatabase;
let application: InMemoryApplication;
let app: HttpServer;

beforeAll(async () => {
  database = await createTestDatabase(auditMigrations);
  application = inMemoryApplication({ db: database.db });
  app = await createHttpServer(application);
});

afterAll(async () => {
  await app.close();
  await database.close();
});

const get = (url: string) => app.inject({ method: 'GET', url, headers });
const post = (url: string, payload?: object) =>
  app.inject({ method: 'POST', url, headers, ...(payload ? { payload } : {}) });

describe('tickets', () => {
  it('name the person only in the answer about one ticket, which nobody caches', async () => {
    const { id } = application.requests.addTicket('acme');
    const list = await get('/api/v1/tickets?state=open&team=data');
    expect(list.body).toContain(id);
    expect(list.body).not.toContain('ada@example.org');
    const one = await get(`/api/v1/tickets/${id}`);
    expect(one.json().identities).toEqual([{ type: 'email', value: 'ada@example.org' }]);
    expect(one.headers['cache-control']).toBe('no-store');
  });

  it('are closed with a note and rejected with a reason', async () => {
    const first = application.requests.addTicket('acme').id;
    const second = application.requests.addTicket('acme').id;
    expect((await post(`/api/v1/tickets/${first}:close`, { note: 'Done.', count: 3 })).json()).toMatchObject({
      state: 'closed',
      note: 'Done.',
    });
    expect((await post(`/api/v1/tickets/${second}:reject`, { reason: 'No.' })).json().state).toBe('rejected');
    expect((await post(`/api/v1/tickets/${first}:close`, {})).json().details).toEqual([
      'body.note: Invalid input: expected string, received undefined',
    ]);
  });
});

describe('the map', () => {
  it('answers what services declared, who holds a data type, and what is missing', async () => {
    expect((await get('/api/v1/map')).json().services).toHaveLength(1);
    expect((await get('/api/v1/map?team=nobody')).json().services).toHaveLength(0);
    expect((await get('/api/v1/services')).json().items[0].name).toBe('orders');
    expect((await get('/api/v1/gaps')).json().items[0].kind).toBe('team-without-client');
    expect((await get('/api/v1/holders/email')).json().holders).toEqual([
      { service: 'orders', team: 'shop' },
    ]);
  });

  it('records who approved or rejected a client', async () => {
    expect((await get('/api/v1/clients')).json().items[0].state).toBe('proposed');
    const approved = await post('/api/v1/clients/cli_1:approve');
    expect(approved.json()).toMatchObject({ state: 'approved', decided_by: 'key:key_test' });
    expect((await post('/api/v1/clients/cli_1:reject')).json().state).toBe('rejected');
    expect((await post('/api/v1/clients/cli_2:reject')).json().code).toBe('NOT_FOUND');
  });
});

describe('connections', () => {
  it('are listed and checked', async () => {
    expect((await get('/api/v1/connections')).json().items[0].key).toBe('shop');
    expect((await post('/api/v1/connections/shop:check')).json()).toEqual({
      ok: true,
      message: 'Reached.',
      problems: [],
    });
    expect((await post('/api/v1/connections/none:check')).statusCode).toBe(404);
  });
});

describe('the audit log', () => {
  it('comes newest first, page by page, for one organization and one subject', async () => {
    const entry = (organizationId: string, subject: string) => ({
      organizationId,
      actor: 'system',
      action: 'request.received',
      subject,
      details: { tasks: 2 },
    });
    for (const subject of ['req_1', 'req_2', 'req_3']) {
      await appendAudit(database.db, [entry('acme', subject)], new Date('2026-03-01T12:00:00Z'));
    }
    await appendAudit(database.db, [entry('other', 'req_1')], new Date());

    const first = (await get('/api/v1/audit?limit=2')).json();
    expect(first.items.map((item: { subject: string }) => item.subject)).toEqual(['req_3', 'req_2']);
    const second = (await get(`/api/v1/audit?limit=2&cursor=${first.next}`)).json();
    expect(second.items.map((item: { subject: string }) => item.subject)).toEqual(['req_1']);
    expect(second.next).toBeNull();
    expect((await get('/api/v1/audit?subject=req_2')).json().items).toEqual([
      expect.objectContaining({ actor: 'system', at: '2026-03-01T12:00:00.000Z', details: { tasks: 2 } }),
    ]);
    expect((await get('/api/v1/audit?cursor=x')).statusCode).toBe(400);
  });
});

describe('plans', () => {
  it('are shown for types of identities, without anybody being named', async () => {
    const answer = await post('/api/v1/plans', { right: 'erasure', dry_run: true });
    expect(answer.json()).toMatchObject({ right: 'erasure', dry_run: true });
    const named = await post('/api/v1/plans', {
      right: 'erasure',
      identities: [{ type: 'email', value: 'a@b.c' }],
    });
    expect(named.json().details).toEqual(['body: has unknown fields: identities']);
  });
});

describe('metrics', () => {
  it('count answers by route and never by path', async () => {
    await get('/api/v1/requests/req_secret');
    const answer = await get('/metrics');
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    expect(answer.body).toContain(
      'habeas_http_requests_total{method="GET",route="/api/v1/requests/:id",status="404"} 1',
    );
    expect(answer.body).not.toContain('req_secret');
  });
});
