import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { inMemoryApplication, TEST_KEY, TEST_ORGANIZATION } from '../../test/in-memory-application.ts';
import { auditMigrations } from '../audit/index.ts';
import { consentMigrations, createConsent, createNotices, parsePurposeFile } from '../consent/index.ts';
import { createLogger, fixedClock, newSecretKey } from '../foundation/index.ts';
import { createHttpServer } from './index.ts';

let database: TestDatabase;
const masterKey = newSecretKey();
beforeAll(async () => {
  database = await createTestDatabase({ ...auditMigrations, ...consentMigrations });
});
afterAll(() => database?.close());

/** A server with this file of purposes, as it starts on a day. */
async function start(text: string, day: string, lines: string[] = []) {
  const { db } = database;
  const organizationId = TEST_ORGANIZATION;
  const file = parsePurposeFile(text, 'purposes.yaml');
  const clock = fixedClock(`${day}T12:00:00Z`);
  const logger = createLogger({
    level: 'warn',
    destination: { write: (line: string) => void lines.push(line) },
  });
  const consentNotices = createNotices({ db, organizationId, file, clock, logger });
  await consentNotices.keep();
  const consent = createConsent({ db, organizationId, file, masterKey, clock });
  const app = await createHttpServer({ ...inMemoryApplication({ db }), consent, consentNotices });
  const get = async (url: string, headers: Record<string, string> = {}) => {
    const answer = await app.inject({
      method: 'GET',
      url,
      headers: { authorization: `Bearer ${TEST_KEY}`, ...headers },
    });
    return { status: answer.statusCode, body: answer.json(), headers: answer.headers };
  };
  return { app, get, consent, close: () => app.close() };
}

const fileOf = (name: string, notice = '{}', gpc = true) =>
  `purposes: [{ code: selling, name: { en: ${name}, de: Verkauf }, legal_basis: opt_out, gpc: ${gpc} }]\nnotice: ${notice}`;

it('answers what the data of a person may be used for, without their address in that of the call', async () => {
  const { get, consent, close } = await start(fileOf('Selling'), '2026-05-01');
  const identity = { type: 'email', value: 'ada+x@example.org' };
  const caller = { organizationId: TEST_ORGANIZATION, actor: 'key:1' };
  await consent.record(caller, [
    { event_id: '1', identity, said_at: '2026-04-01T00:00:00Z', choices: { selling: false }, source: 'api' },
  ]);
  const header = { 'habeas-identity': `email=${encodeURIComponent(identity.value)}` };
  const now = await get('/api/v1/consent', header);
  expect(now).toMatchObject({
    status: 200,
    body: { purposes: [{ code: 'selling', said: false, allowed: false }] },
    headers: { 'cache-control': 'private, no-cache', vary: expect.stringContaining('habeas-identity') },
  });
  const before = await get('/api/v1/consent?as_of=2026-03-01T00:00:00Z', header);
  expect(before.body).toMatchObject({
    as_of: '2026-03-01T00:00:00.000Z',
    purposes: [{ said: null, allowed: true }],
  });
  for (const bad of ['ada@example.org', 'email=', 'email=%FF', 'email=a b', `email=${'a'.repeat(1_001)}`]) {
    const refused = await get('/api/v1/consent', { 'habeas-identity': bad });
    expect([bad.slice(0, 20), refused.status]).toEqual([bad.slice(0, 20), 400]);
    expect(JSON.stringify(refused.body)).not.toContain('ada@example.org');
  }
  expect((await get('/api/v1/consent?identity=email', header)).status).toBe(400);
  await close();
});

it('keeps what people were shown under each version, in all languages, for whoever has a receipt', async () => {
  const first = await start(fileOf('Selling data', '{ version: first }'), '2026-01-01');
  await first.close();
  const numbered = await start(
    fileOf('Sale', '{ version: "2 / b", texts: { en: { title: Hello } } }'),
    '2026-02-01',
  );
  await numbered.close();
  const lines: string[] = [];
  const changed = await start(
    fileOf('Sale of data', '{ version: "2 / b", texts: { en: { title: Hi } } }'),
    '2026-03-01',
    lines,
  );
  expect(lines.join('')).toContain('notice.version did not');
  const both = (await changed.get(`/api/v1/notices/${encodeURIComponent('2 / b')}`)).body;
  expect(both.version).toBe('2 / b');
  expect(
    both.items.map((item: { since: string; texts: Record<string, { title: string }> }) => [
      item.since.slice(0, 10),
      item.texts.en?.title,
    ]),
  ).toEqual([
    ['2026-02-01', 'Hello'],
    ['2026-03-01', 'Hi'],
  ]);
  expect(both.items[1].purposes).toEqual([
    {
      code: 'selling',
      name: { en: 'Sale of data', de: 'Verkauf' },
      description: {},
      legal_basis: 'opt_out',
      data_categories: [],
      gpc: true,
    },
  ]);
  expect((await changed.get('/api/v1/notices/never')).status).toBe(404);
  await changed.close();
  // Started again with the same file, nothing is added.
  const again = await start(fileOf('Selling data', '{ version: first }'), '2026-04-01', lines);
  expect((await again.get('/api/v1/notices/first')).body.items).toMatchObject([
    { since: '2026-01-01T12:00:00.000Z' },
  ]);
  expect(lines).toHaveLength(1);
  await again.close();
});

it('says whether Global Privacy Control is heeded, to everybody', async () => {
  const since = '2026-06-07';
  const { app, close } = await start(fileOf('Selling', '{ version: gpc }'), since);
  const answer = await app.inject({ method: 'GET', url: '/.well-known/gpc.json' });
  expect([answer.statusCode, answer.json(), answer.headers['content-type']]).toEqual([
    200,
    { gpc: true, lastUpdate: since },
    expect.stringContaining('application/json'),
  ]);
  await close();
  const without = await start(fileOf('Selling', '{ version: none }', false), '2026-07-01');
  expect((await without.app.inject({ method: 'GET', url: '/.well-known/gpc.json' })).json()).toEqual({
    gpc: false,
    lastUpdate: '2026-07-01',
  });
  await without.close();
  const { db } = database;
  const nothing = await createHttpServer(inMemoryApplication({ db }));
  expect((await nothing.inject({ method: 'GET', url: '/.well-known/gpc.json' })).statusCode).toBe(404);
  await nothing.close();
});
