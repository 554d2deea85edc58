import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { type InMemoryApplication, inMemoryApplication, TEST_KEY } from '../../test/in-memory-application.ts';
import { createHttpServer, type HttpServer } from './index.ts';

const authorization = `Bearer ${TEST_KEY}`;
const body = { right: 'access', identities: [{ type: 'email', value: 'ada@example.org' }] };

let database: TestDatabase;
let application: InMemoryApplication;
let app: HttpServer;

beforeAll(async () => {
  database = await createTestDatabase();
  application = inMemoryApplication({ db: database.db });
  app = await createHttpServer(application);
});

afterAll(async () => {
  await app.close();
  await database.close();
});

const post = (url: string, payload?: object, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'POST',
    url,
    headers: { authorization, ...headers },
    ...(payload ? { payload } : {}),
  });
const get = (url: string) => app.inject({ method: 'GET', url, headers: { authorization } });

describe('requests', () => {
  it('are made with 201 and found again at their location', async () => {
    const made = await post('/api/v1/requests', body);
    expect(made.statusCode).toBe(201);
    expect(made.json()).toMatchObject({ right: 'access', state: 'received', identity_types: ['email'] });
    expect(made.body).not.toContain('ada@example.org');
    const found = await get(String(made.headers.location));
    expect(found.json()).toEqual(made.json());
  });

  it('come back with 200 for the same Idempotency-Key and body, and are refused with another body', async () => {
    const key = { 'idempotency-key': 'order-17' };
    const first = await post('/api/v1/requests', body, key);
    const again = await post('/api/v1/requests', body, key);
    expect([first.statusCode, again.statusCode]).toEqual([201, 200]);
    expect(again.json().id).toBe(first.json().id);
    expect(again.headers['idempotency-replayed']).toBe('true');
    const other = await post('/api/v1/requests', { ...body, right: 'erasure' }, key);
    expect(other.statusCode).toBe(422);
    expect(other.json()).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  });

  it('are listed page by page', async () => {
    await post('/api/v1/requests', body);
    await post('/api/v1/requests', body);
    const ids: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await get(`/api/v1/requests?limit=1${cursor === null ? '' : `&cursor=${cursor}`}`);
      expect(page.json().items).toHaveLength(1);
      ids.push(page.json().items[0].id);
      cursor = page.json().next;
    } while (cursor !== null);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThanOrEqual(2);
  });

  it('obey :cancel, :hold, :reject with a reason and :release, :approve without', async () => {
    const { id } = (await post('/api/v1/requests', body)).json();
    const states = [];
    for (const [verb, payload] of [
      ['hold', { reason: 'A court asked for it.' }],
      ['release', undefined],
      ['approve', undefined],
      ['reject', { reason: 'Not ours.' }],
      ['cancel', { reason: 'Asked to.' }],
    ] as const) {
      const answer = await post(`/api/v1/requests/${id}:${verb}`, payload);
      expect(answer.statusCode).toBe(200);
      states.push(answer.json().state);
    }
    expect(states).toEqual(['held', 'running', 'running', 'rejected', 'cancelled']);
    expect((await post(`/api/v1/requests/${id}:cancel`, {})).json().code).toBe('BAD_INPUT');
    expect((await post(`/api/v1/requests/${id}:explode`)).statusCode).toBe(404);
  });

  it('show their plan and tasks, and obey task commands', async () => {
    const { id } = (await post('/api/v1/requests', body)).json();
    expect((await get(`/api/v1/requests/${id}/plan`)).json()).toMatchObject({ right: 'access' });
    const [task] = (await get(`/api/v1/requests/${id}/tasks`)).json().items;
    expect(task.key).toBe('collect:shop');
    expect((await post(`/api/v1/requests/${id}/tasks/${task.id}:retry`)).json().state).toBe('ready');
    const skipped = await post(`/api/v1/requests/${id}/tasks/${task.id}:skip`, { reason: 'Shut down.' });
    expect(skipped.json().state).toBe('skipped');
  });

  it('hand over their package as an attachment that nobody caches, byte by byte', async () => {
    const bytes = randomBytes(300_001);
    const { id, package: pack } = application.requests.addFinished('acme', bytes);
    const answer = await get(`/api/v1/requests/${id}/package`);
    expect(answer.statusCode).toBe(200);
    expect(answer.rawPayload.equals(bytes)).toBe(true);
    const digest = createHash('sha256').update(bytes).digest('base64');
    expect(answer.headers).toMatchObject({
      'content-type': 'application/zip',
      'content-length': '300001',
      'content-disposition': `attachment; filename="${pack?.id}.zip"`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'repr-digest': `sha-256=:${digest}:`,
    });
  });

  it('that do not exist are NOT_FOUND, and what the state forbids is CONFLICT', async () => {
    for (const path of ['', '/plan', '/tasks', '/package', '/receipt']) {
      const answer = await get(`/api/v1/requests/req_none${path}`);
      expect([path, answer.statusCode, answer.json().code]).toEqual([path, 404, 'NOT_FOUND']);
    }
    const { id } = application.requests.addFinished('acme', Buffer.from('zip'));
    const answer = await post(`/api/v1/requests/${id}:cancel`, { reason: 'Too late.' });
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'CONFLICT']);
  });
});
