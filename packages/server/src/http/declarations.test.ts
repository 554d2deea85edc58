import { api } from '@habeas/contract';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { inMemoryApplication, TEST_KEY } from '../../test/in-memory-application.ts';
import { auditMigrations } from '../audit/index.ts';
import { createLogger, fixedClock, parseConfig } from '../foundation/index.ts';
import { createMap, mapMigrations, ownDeclarations } from '../map/index.ts';
import { notifyMigrations } from '../notify/index.ts';
import { createHttpServer, type HttpServer } from './index.ts';

const headers = { authorization: `Bearer ${TEST_KEY}` };
const clock = fixedClock('2026-11-21T08:00:00Z');

let database: TestDatabase;
let app: HttpServer;

beforeAll(async () => {
  database = await createTestDatabase({ ...auditMigrations, ...notifyMigrations, ...mapMigrations });
  const { db } = database;
  const config = parseConfig({ text: '{}', file: 'habeas.yaml', environment: {} });
  const map = createMap({ db, clock, config, logger: createLogger({ level: 'silent' }) });
  const ownMetrics = ownDeclarations({ team: 'platform', prefix: 'personal_data_' });
  app = await createHttpServer({ ...inMemoryApplication({ db }), map, clock, ownMetrics });
});

afterAll(async () => {
  await app.close();
  await database.close();
});

const push = (payload: object, key = headers) =>
  app.inject({ method: 'POST', url: '/api/v1/declarations', headers: key, payload });

it('stores what a job pushes, until when it says, and shows it in the map', async () => {
  const declarations = [{ team: 'data', service: 'nightly', stores: ['email'] }];
  const answer = await push({ source: 'nightly', ttl_seconds: 3_600, declarations });
  expect([answer.statusCode, answer.json()]).toEqual([
    200,
    {
      source: 'push:nightly',
      state: 'ok',
      declarations: 1,
      started: 1,
      ended: 0,
      expires_at: '2026-11-21T09:00:00.000Z',
      warnings: [],
    },
  ]);
  const map = await app.inject({ method: 'GET', url: '/api/v1/map', headers });
  expect(map.headers['content-type']).toBe('application/json; charset=utf-8');
  // Written as it is sent, so that nothing on the way out would mend it.
  expect(map.body).toBe(JSON.stringify(api.mapSchema.parse(map.json())));
  expect(map.json().stores).toMatchObject([
    { service: 'nightly', data_type: 'email', source: 'push:nightly' },
  ]);
});

it.each([
  ['no source', { ttl_seconds: 3_600, declarations: [] }],
  ['a source that is a path', { source: '../x', ttl_seconds: 3_600, declarations: [] }],
  ['no end', { source: 'x', declarations: [] }],
  [
    'a key that does not exist',
    { source: 'x', ttl_seconds: 3_600, declarations: [{ team: 'a', service: 'b', store: [] }] },
  ],
])('refuses a push with %s', async (_, body) => {
  expect((await push(body)).statusCode).toBe(400);
});

it('takes nothing from, and tells nothing to, somebody without a key', async () => {
  expect((await push({}, { authorization: 'Bearer wrong' })).statusCode).toBe(401);
  expect((await app.inject({ method: 'GET', url: '/api/v1/http-sd' })).statusCode).toBe(401);
});

it('gives Prometheus a list of targets as JSON', async () => {
  const answer = await app.inject({ method: 'GET', url: '/api/v1/http-sd', headers });
  expect([answer.statusCode, answer.headers['content-type'], answer.json()]).toEqual([
    200,
    expect.stringContaining('application/json'),
    [],
  ]);
});

it('declares what Habeas keeps on its own metrics page', async () => {
  const answer = await app.inject({ method: 'GET', url: '/metrics', headers });
  expect(answer.body).toContain('\npersonal_data_store{team="platform",service="habeas",data_type="email"');
  expect(answer.body).toContain('habeas_http_requests_total');
});
