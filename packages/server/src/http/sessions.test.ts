import { api } from '@habeas/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { inMemoryApplication } from '../../test/in-memory-application.ts';
import {
  accessMigrations,
  authenticate,
  createApiKeys,
  createSessions,
  ensureFirstKey,
} from '../access/index.ts';
import { appendAudit, auditMigrations, listAudit } from '../audit/index.ts';
import { createHttpServer, type HttpServer } from './index.ts';

const organizationId = 'acme';
const ORIGIN = 'http://localhost:7311';
const HOUR = 3_600_000;

let database: TestDatabase;
let app: HttpServer;
let key: string;
let now: Date;
const clock = { now: () => now };

beforeAll(async () => {
  now = new Date('2026-03-01T08:00:00Z');
  database = await createTestDatabase({ ...auditMigrations, ...accessMigrations });
  const { db } = database;
  const context = { db, organizationId, clock, audit: appendAudit };
  key = (await ensureFirstKey(context))?.key ?? '';
  const application = inMemoryApplication({ db });
  app = await createHttpServer({
    ...application,
    clock,
    keys: createApiKeys(context),
    sessions: createSessions(context),
    authenticate: (presented) => authenticate(context, presented),
  });
});

afterAll(async () => {
  await app.close();
  await database.close();
});

const start = (given: string, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url: '/api/v1/session', headers, payload: { key: given } });

async function cookieOf(given = key): Promise<string> {
  const answer = await start(given);
  expect(answer.statusCode).toBe(200);
  return String(answer.headers['set-cookie']).split(';')[0] ?? '';
}

const get = (url: string, cookie: string) => app.inject({ method: 'GET', url, headers: { cookie } });

const post = (
  url: string,
  cookie: string,
  options: { readonly origin?: string; readonly payload?: object } = {},
) => {
  const { origin, payload = {} } = options;
  const headers = { cookie, host: 'localhost:7311', ...(origin === undefined ? {} : { origin }) };
  return app.inject({ method: 'POST', url, headers, payload });
};

describe('a session', () => {
  it('stands for the key, in a cookie that no script reads and no other site sends', async () => {
    const answer = await start(key);
    expect(String(answer.headers['set-cookie'])).toMatch(
      /^habeas-session=[0-9a-z]{52}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/,
    );
    expect(answer.json()).toMatchObject({
      scopes: api.ALL_SCOPES,
      teams: null,
      expires_at: '2026-03-01T20:00:00.000Z',
    });
    const cookie = String(answer.headers['set-cookie']).split(';')[0] ?? '';
    expect((await get('/api/v1/requests', cookie)).statusCode).toBe(200);
    expect((await get('/api/v1/session', cookie)).json()).toEqual(answer.json());
    expect(answer.body + String(answer.headers['set-cookie'])).not.toContain(key);
    const { rows } = await database.pool.query(`select s::text as row from habeas.sessions s`);
    expect(JSON.stringify(rows)).not.toContain(cookie.split('=')[1]);
  });

  it('behind TLS has a cookie that only this host can set', async () => {
    const application = inMemoryApplication({ db: database.db });
    const sessions = createSessions({ db: database.db, organizationId, clock, audit: appendAudit });
    const behind = await createHttpServer({
      ...application,
      clock,
      sessions,
      publicUrl: 'https://privacy.example',
    });
    const answer = await behind.inject({ method: 'POST', url: '/api/v1/session', payload: { key } });
    expect(String(answer.headers['set-cookie'])).toMatch(/^__Host-habeas-session=.*; Secure$/);
    await behind.close();
  });

  it('is not had for a wrong key, nor asked for by another site', async () => {
    expect((await start('habeas_wrong')).statusCode).toBe(401);
    expect((await start(key, { origin: 'https://evil.example' })).statusCode).toBe(403);
    expect((await get('/api/v1/requests', 'habeas-session=wrong')).json()).toMatchObject({
      code: 'UNAUTHENTICATED',
      detail: 'The session has ended: sign in again.',
    });
  });

  it('changes nothing unless a page of this server asks', async () => {
    const cookie = await cookieOf();
    const verb = '/api/v1/api-keys';
    const payload = { name: 'made in a browser' };
    for (const origin of [undefined, 'https://evil.example', 'null', 'http://localhost:7312']) {
      const answer = await post(verb, cookie, { payload, ...(origin === undefined ? {} : { origin }) });
      expect([origin, answer.statusCode, answer.json().code]).toEqual([origin, 403, 'FORBIDDEN']);
    }
    expect((await post(verb, cookie, { payload, origin: ORIGIN })).statusCode).toBe(201);
  });

  it('may do what its key may, as long as it may', async () => {
    const made = await post('/api/v1/api-keys', await cookieOf(), {
      payload: { name: 'map', scopes: ['map:read'], teams: ['web'] },
      origin: ORIGIN,
    });
    const { id, key: lesser } = made.json();
    const cookie = await cookieOf(lesser);
    expect((await get('/api/v1/session', cookie)).json()).toMatchObject({
      scopes: ['map:read'],
      teams: ['web'],
    });
    expect((await get('/api/v1/map', cookie)).statusCode).toBe(200);
    expect((await get('/api/v1/requests', cookie)).statusCode).toBe(403);
    const revoked = await app.inject({
      method: 'DELETE',
      url: `/api/v1/api-keys/${id}`,
      headers: { authorization: `Bearer ${key}` },
    });
    expect(revoked.statusCode).toBe(200);
    expect((await get('/api/v1/map', cookie)).statusCode).toBe(401);
  });

  it('ends after an hour without a call, after twelve in any case, and when somebody signs out', async () => {
    const began = now;
    const at = (hours: number) => {
      now = new Date(began.getTime() + hours * HOUR);
    };
    const [idle, busy, left] = [await cookieOf(), await cookieOf(), await cookieOf()];
    const out = await app.inject({
      method: 'DELETE',
      url: '/api/v1/session',
      headers: { cookie: left, origin: ORIGIN, host: 'localhost:7311' },
    });
    expect([out.statusCode, String(out.headers['set-cookie'])]).toEqual([
      204,
      expect.stringContaining('Max-Age=0'),
    ]);
    expect((await get('/api/v1/session', left)).statusCode).toBe(401);
    for (let hour = 0.9; hour < 12; hour += 0.9) {
      at(hour);
      expect([hour, (await get('/api/v1/session', busy)).statusCode]).toEqual([hour, 200]);
    }
    expect((await get('/api/v1/session', idle)).statusCode).toBe(401);
    at(12);
    expect((await get('/api/v1/session', busy)).statusCode).toBe(401);
    now = began;
  });

  it('asks for the key again before an approval, ten minutes after it was shown', async () => {
    const began = now;
    const cookie = await cookieOf();
    const approve = () => post('/api/v1/requests/req_1:approve', cookie, { origin: ORIGIN });
    const confirm = (given: string) =>
      post('/api/v1/session:confirm', cookie, { origin: ORIGIN, payload: { key: given } });
    expect((await approve()).json().code).not.toBe('CONFIRMATION_NEEDED');
    now = new Date(began.getTime() + 10 * 60_000 + 1);
    expect([(await approve()).statusCode, (await approve()).json().code]).toEqual([
      403,
      'CONFIRMATION_NEEDED',
    ]);
    const other = await post('/api/v1/api-keys', cookie, { payload: { name: 'another' }, origin: ORIGIN });
    expect((await confirm(other.json().key)).statusCode).toBe(401);
    expect((await approve()).json().code).toBe('CONFIRMATION_NEEDED');
    expect((await confirm(key)).statusCode).toBe(200);
    expect((await approve()).json().code).not.toBe('CONFIRMATION_NEEDED');
    // Whoever sends the key has just shown it.
    now = new Date(began.getTime() + HOUR);
    const byKey = await app.inject({
      method: 'POST',
      url: '/api/v1/requests/req_1:approve',
      headers: { authorization: `Bearer ${key}` },
    });
    expect(byKey.json().code).not.toBe('CONFIRMATION_NEEDED');
    now = began;
  });

  it('is in the audit log from its start to its end', async () => {
    const entries = await listAudit(database.db, { organizationId });
    const actions = new Set(
      entries.map(({ action }) => action).filter((action) => action.startsWith('session.')),
    );
    expect([...actions].toSorted()).toEqual(['session.confirmed', 'session.ended', 'session.started']);
  });
});
