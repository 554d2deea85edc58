import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { openDuckDb } from '../../test/duckdb.ts';
import { inMemoryApplication, TEST_KEY, TEST_ORGANIZATION } from '../../test/in-memory-application.ts';
import { auditMigrations } from '../audit/index.ts';
import { consentMigrations, createConsent, parsePurposeFile } from '../consent/index.ts';
import { fixedClock, newSecretKey } from '../foundation/index.ts';
import { createHttpServer, type HttpServer } from './index.ts';

let database: TestDatabase;
let app: HttpServer;

beforeAll(async () => {
  database = await createTestDatabase({ ...auditMigrations, ...consentMigrations });
  const consent = createConsent({
    db: database.db,
    organizationId: TEST_ORGANIZATION,
    file: parsePurposeFile(
      'purposes: [{ code: analytics, name: { en: Analytics }, legal_basis: consent }]',
      'p.yaml',
    ),
    masterKey: newSecretKey(),
    clock: fixedClock('2026-06-01T12:00:00Z'),
  });
  app = await createHttpServer({ ...inMemoryApplication({ db: database.db }), consent });
});

afterAll(async () => {
  await app.close();
  await database.close();
});

const post = (url: string, payload: object) =>
  app.inject({ method: 'POST', url, headers: { authorization: `Bearer ${TEST_KEY}` }, payload });
const identity = { type: 'email', value: 'ada@x.org' };
const signal = { event_id: '1', identity, said_at: '2026-05-01T10:00:00Z', choices: { analytics: true } };

it('stores signals, answers for each, and tells what is allowed', async () => {
  const stored = await post('/api/v1/consent', {
    signals: [signal, { ...signal, event_id: '2', choices: { nothing_known: true } }],
  });
  expect([stored.statusCode, stored.json()]).toMatchObject([
    200,
    {
      items: [
        { event_id: '1', state: 'stored' },
        { event_id: '2', state: 'refused', code: 'unknown-purpose' },
      ],
    },
  ]);
  const read = await post('/api/v1/consent:read', { identity });
  expect(read.json()).toMatchObject({ purposes: [{ code: 'analytics', said: true, allowed: true }] });
  const earlier = await post('/api/v1/consent:read', { identity, as_of: '2026-05-01T11:59:00+02:00' });
  expect(earlier.json()).toMatchObject({ purposes: [{ said: null, allowed: false }] });
});

it('stores the rows of lists, once, and tells the lines of those that it cannot store', async () => {
  const send = (query: string, type: string, body: string) =>
    app.inject({
      method: 'POST',
      url: `/api/v1/consent:import?${query}`,
      headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': type },
      payload: body,
    });
  const table =
    'identity_type,identity_value,said_at,analytics,nothing_known\nemail,Carol@x.org,2026-05-01T10:00:00Z,1,\nemail,carol@x.org,2026-05-01T10:00:00Z,,1\nemail,,x,,\n';
  const dry = await send('name=may&dry_run=true', 'text/csv', table);
  const refused = [
    { line: 3, code: 'unknown-purpose' },
    { line: 4, code: 'malformed-row' },
  ];
  expect(dry.json()).toMatchObject({ rows: 3, stored: 0, checked: 1, refused });
  expect((await send('name=may', 'text/csv; charset=utf-8', table)).json()).toMatchObject({
    stored: 1,
    refused,
  });
  expect((await send('name=may', 'text/csv', table)).json()).toMatchObject({
    stored: 0,
    repeated: 1,
    refused,
  });
  const line = {
    identity: { type: 'email', value: 'carol@x.org' },
    said_at: '2026-05-02T10:00:00Z',
    choices: { analytics: false },
  };
  const lines = await send('name=june&first_line=7', 'application/x-ndjson', `{\n${JSON.stringify(line)}\n`);
  expect(lines.json()).toMatchObject({ rows: 2, stored: 1, refused: [{ line: 7, code: 'malformed-row' }] });
  const read = await post('/api/v1/consent:read', { identity: line.identity });
  expect(read.json()).toMatchObject({ purposes: [{ said: false }] });
  expect(await send('name=may', 'text/plain', table)).toMatchObject({ statusCode: 400 });
  expect(`${dry.body}${lines.body}`).not.toMatch(/carol/i);
});

it('stores the rows of Parquet files that are sent to it, and refuses ones that are torn or too large', async () => {
  await using duckdb = await openDuckDb();
  const folder = mkdtempSync(join(tmpdir(), 'habeas-upload-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const fileOf = async (query: string) => {
    const file = join(folder, 'list.parquet');
    await duckdb.run(`copy (${query}) to '${file}' (format parquet)`);
    return readFileSync(file);
  };
  const send = (name: string, payload: Buffer) =>
    app.inject({
      method: 'POST',
      url: `/api/v1/consent:import?name=${name}`,
      headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/vnd.apache.parquet' },
      payload,
    });
  const query = (rows: number, value = "'dora-' || n || '@x.org'") =>
    `select 'email' as identity_type, ${value} as identity_value, case when n = 3 then null else '2026-05-01T10:00:00Z' end as said_at, n % 2 = 1 as analytics from range(${rows}) t(n)`;
  const file = await fileOf(query(5));
  const first = await send('up', file);
  expect(first.json()).toMatchObject({ rows: 5, stored: 4, refused: [{ line: 4, code: 'malformed-row' }] });
  expect((await send('up', file)).json()).toMatchObject({ stored: 0, repeated: 4 });
  const identity = { type: 'email', value: 'dora-1@x.org' };
  expect((await post('/api/v1/consent:read', { identity })).json()).toMatchObject({
    purposes: [{ code: 'analytics', said: true }],
  });
  expect((await send('torn', file.subarray(0, -9))).statusCode).toBe(400);
  expect((await send('many', await fileOf(query(10_001)))).json()).toMatchObject({
    code: 'BAD_INPUT',
    detail: expect.stringContaining('10001 rows'),
  });
  const long = await fileOf(query(9_000, "repeat('x', 30000)"));
  expect(long.length).toBeLessThan(1_000_000);
  expect((await send('long', long)).json()).toMatchObject({
    code: 'BAD_INPUT',
    detail: expect.stringContaining('send fewer'),
  });
});

it('lists purposes', async () => {
  const answer = await app.inject({
    url: '/api/v1/purposes',
    headers: { authorization: `Bearer ${TEST_KEY}` },
  });
  expect(answer.json()).toMatchObject({
    items: [{ code: 'analytics', allowed_by_default: false, gpc: false }],
  });
});

it.each([
  ['no signals', { signals: [] }],
  ['an id with a blank', { signals: [{ ...signal, event_id: 'a b' }] }],
  ['a moment without a zone', { signals: [{ ...signal, said_at: '2026-05-01T10:00:00' }] }],
  ['a choice that is a text', { signals: [{ ...signal, choices: { analytics: 'yes' } }] }],
  ['a source that nobody knows', { signals: [{ ...signal, source: 'rumour' }] }],
  ['a field that nobody knows', { signals: [{ ...signal, consent: true }] }],
  ['a notice with a NUL', { signals: [signal, { ...signal, notice: { version: '1\0', language: 'en' } }] }],
  [
    'a notice with half of a surrogate pair',
    { signals: [{ ...signal, notice: { version: '1', language: 'en', variant: '\ud800' } }] },
  ],
  ['more than a thousand', { signals: Array.from({ length: 1_001 }, () => signal) }],
])('refuses %s, and stores nothing', async (_, body) => {
  const answer = await post('/api/v1/consent', body);
  expect([answer.statusCode, answer.json().code]).toEqual([400, 'BAD_INPUT']);
  expect(answer.body).not.toContain('ada@');
});
