import { api } from '@habeas/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import {
  type InMemoryApplication,
  inMemoryApplication,
  LESSER_KEY,
  OTHER_KEY,
  TEST_KEY,
  TEST_ORGANIZATION,
} from '../../test/in-memory-application.ts';
import { appendAudit, auditMigrations } from '../audit/index.ts';
import { createHttpServer, type HttpServer } from './index.ts';
import { type RouteEntry, routesOf } from './route-table.ts';

let database: TestDatabase;
let application: InMemoryApplication;
let app: HttpServer;
/** What stands for the parameters of a path: things that exist in the first organization. */
let existing: Readonly<Record<string, string>>;

beforeAll(async () => {
  database = await createTestDatabase(auditMigrations);
  application = inMemoryApplication({ db: database.db });
  // Every route is tried with every wrong key, which is more than one address may do in a minute.
  app = await createHttpServer(application, { rateLimits: { perKey: 100_000, perAddress: 100_000 } });
  const event = {
    organizationId: TEST_ORGANIZATION,
    actor: 'system',
    action: 'canary.seen',
    subject: 'canary',
  };
  await appendAudit(database.db, [event], new Date());
  await application.auditLog.advance();
  existing = {
    id: application.requests.addFinished(TEST_ORGANIZATION, Buffer.from('zip')).id,
    taskId: 'tsk_1',
    level: 'entries',
    sequence: '1',
    key: 'shop',
    data_type: 'email',
    version: '2026-03',
  };
});

afterAll(async () => {
  await app.close();
  await database.close();
});

function urlOf(route: RouteEntry): string {
  const path = route.url.replace(/(?<!:):([A-Za-z_]+)(\([^)]*\))?/g, (_, name: string) => {
    const value = existing[name];
    if (value === undefined) throw new Error(`The test has no value for :${name} of ${route.url}.`);
    return value;
  });
  return path.replaceAll('::', ':').replace('*', '000.p/1');
}

async function call(route: RouteEntry, authorization: string | undefined) {
  return app.inject({
    method: route.method as 'GET' | 'POST',
    url: urlOf(route),
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(route.method === 'POST' ? { 'content-type': 'application/json' } : {}),
    },
    ...(route.method === 'POST' ? { payload: '{}' } : {}),
  });
}

describe('every route', () => {
  it('is in the table that this test reads', () => {
    const routes = routesOf(app);
    expect(routes.length).toBeGreaterThan(30);
    expect(routes.filter((route) => route.open).map((route) => `${route.method} ${route.url}`)).toEqual([
      'GET /package',
      'POST /api/v1/package-links::code',
      'POST /api/v1/package-links::open',
      'GET /api/v1/package-downloads/:id',
      'GET /.well-known/gpc.json',
      'GET /consent/v1/notice',
      'POST /consent/v1/choices',
      'OPTIONS /consent/v1/notice',
      'OPTIONS /consent/v1/choices',
      'GET /consent/v1/tag.js',
      'GET /consent/v1/headless.js',
      'POST /api/v1/session',
      'GET /api/v1/sign-in',
      'GET /api/v1/sign-in/start',
      'GET /api/v1/sign-in/finish',
      'GET /habeas-verify.mjs',
      'POST /api/v1/public/requests',
      'POST /api/v1/public/requests::resume',
      'POST /api/v1/public/requests::send-code',
      'POST /api/v1/public/requests::prove',
      'POST /api/v1/public/requests::answer',
      'POST /api/v1/public/requests::sign-in',
      'GET /api/v1/public/sign-in',
      'POST /api/v1/verifications/:id',
      'POST /api/v1/callbacks/:taskId',
      'POST /api/v1/trackers/:name([A-Za-z0-9_.-]+)::report',
      'GET /health',
      'GET /',
      'GET /app',
      'GET /app/*',
      'GET /app/assets/:name',
    ]);
  });

  it('answers 401 without a key, with a wrong key and with a key of another organization', async () => {
    const basic = (password: string) => `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
    for (const route of routesOf(app).filter(({ open }) => !open)) {
      for (const authorization of [
        undefined,
        'Bearer wrong',
        'Bearer',
        basic('wrong'),
        basic(''),
        TEST_KEY,
        `Bearer ${OTHER_KEY}`,
        basic(OTHER_KEY),
      ]) {
        const answer = await call(route, authorization);
        expect([route.method, route.url, authorization, answer.statusCode]).toEqual([
          route.method,
          route.url,
          authorization,
          401,
        ]);
        expect(answer.json()).toMatchObject({ code: 'UNAUTHENTICATED', status: 401 });
        expect(answer.headers['www-authenticate']).toContain('Bearer');
        expect(answer.body).not.toMatch(/canary|shop|orders/);
      }
    }
  });

  it('lets the right key through, as Bearer and as a Basic password', async () => {
    const basic = `Basic ${Buffer.from(`anything:${TEST_KEY}`).toString('base64')}`;
    for (const route of routesOf(app).filter(({ open, url }) => !open && url !== '/api/v1/events')) {
      for (const authorization of [`Bearer ${TEST_KEY}`, `bearer ${TEST_KEY}`, basic]) {
        const answer = await call(route, authorization);
        expect([route.method, route.url, answer.statusCode]).not.toEqual([route.method, route.url, 401]);
        expect(answer.statusCode).toBeLessThan(500);
      }
    }
  });

  it('needs a scope of a key: without it 403, with it alone something else', async () => {
    const closed = routesOf(app).filter(({ open, url }) => !open && url !== '/api/v1/events');
    const unscoped = closed.filter(({ scope }) => scope === undefined);
    expect(new Set(unscoped.map(({ url }) => url))).toEqual(
      new Set(['/api/v1/session', '/api/v1/session::confirm']),
    );
    for (const route of closed.filter((one) => !unscoped.includes(one))) {
      expect([route.method, route.url, api.ALL_SCOPES.includes(route.scope as api.Scope)]).toEqual([
        route.method,
        route.url,
        true,
      ]);
      application.allow(api.ALL_SCOPES.filter((scope) => scope !== route.scope));
      const refused = await call(route, `Bearer ${LESSER_KEY}`);
      expect([route.method, route.url, refused.statusCode, refused.json().code]).toEqual([
        route.method,
        route.url,
        403,
        'FORBIDDEN',
      ]);
      expect(refused.json().detail).toContain(route.scope);
      application.allow([route.scope as api.Scope]);
      expect((await call(route, `Bearer ${LESSER_KEY}`)).statusCode).not.toBe(403);
    }
  });

  it('that tells whom something is about is for those who have to know', () => {
    const of = (...scopes: readonly api.Scope[]) =>
      routesOf(app)
        .filter(({ scope }) => scope !== undefined && scopes.includes(scope))
        .map(({ method, url }) => `${method} ${url}`);
    expect(of('personal-data:read').toSorted()).toEqual([
      'GET /api/v1/consent',
      'GET /api/v1/requests/:id/mails',
      'GET /api/v1/requests/:id/package',
      'POST /api/v1/consent-exports',
      'POST /api/v1/consent::history',
      'POST /api/v1/consent::read',
      'POST /api/v1/consent::receipt',
      'POST /api/v1/requests/:id([a-z0-9_]+)/package::key',
      'POST /api/v1/requests/:id([a-z0-9_]+)/package::link',
    ]);
    expect(of('tickets:write')).toContain('GET /api/v1/tickets/:id');
    expect(of('requests:approve').toSorted()).toEqual([
      'POST /api/v1/requests/:id([a-z0-9_]+)::approve',
      'POST /api/v1/requests/:id([a-z0-9_]+)::reject',
    ]);
    for (const scope of ['personal-data:read', 'choices:read', 'tickets:write'] as const)
      expect(api.ROLES.auditor).not.toContain(scope);
    expect(api.ROLES.auditor.filter((scope) => !scope.endsWith(':read'))).toEqual([]);
  });

  it('says of health without a key only whether the server can work', async () => {
    const answer = await app.inject({ method: 'GET', url: '/health' });
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      { status: 'ok', database: 'ok', work: 'goes-on' },
    ]);
  });

  it('does not tell a stranger which paths exist', async () => {
    const known = await app.inject({ method: 'GET', url: '/api/v1/requests' });
    const unknown = await app.inject({ method: 'GET', url: '/api/v1/nothing' });
    expect([known.statusCode, unknown.statusCode]).toEqual([401, 401]);
    const { instance: _, ...knownBody } = known.json();
    const { instance: __, ...unknownBody } = unknown.json();
    expect(unknownBody).toEqual(knownBody);
  });

  it('asks a browser for the key in its own dialog', async () => {
    const answer = await app.inject({
      method: 'GET',
      url: '/reference',
      headers: { accept: 'text/html,*/*' },
    });
    expect([answer.statusCode, String(answer.headers['www-authenticate']).slice(0, 5)]).toEqual([
      401,
      'Basic',
    ]);
  });

  it('refuses a change that a page of another site sends with the key that the browser knows', async () => {
    const authorization = `Basic ${Buffer.from(`admin:${TEST_KEY}`).toString('base64')}`;
    const send = (origin: string) =>
      app.inject({
        method: 'POST',
        url: '/api/v1/clients/cli_1:approve',
        headers: { authorization, origin, host: 'habeas.example:7311' },
      });
    expect((await send('https://evil.example')).json().code).toBe('FORBIDDEN');
    expect((await send('null')).json().code).toBe('FORBIDDEN');
    expect((await send('http://habeas.example:7311')).statusCode).toBe(200);
  });
});
