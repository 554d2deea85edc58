import { SignJWT } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { inMemoryApplication, TEST_KEY, TEST_ORGANIZATION } from '../../test/in-memory-application.ts';
import { auditMigrations } from '../audit/index.ts';
import { consentMigrations, createConsent, createConsentTag, parsePurposeFile } from '../consent/index.ts';
import { fixedClock, newSecretKey } from '../foundation/index.ts';
import { createHttpServer, type HttpServer } from './index.ts';

const FILE = `
purposes:
  - { code: analytics, name: { en: Analytics, de: Auswertung }, legal_basis: consent, ask_again: 180d, validity: 365d }
  - { code: advertising, name: { en: Advertising }, description: { en: Ads. }, legal_basis: opt_out, gpc: true }
notice:
  version: '2026-03'
  texts: { en: { title: Your choice }, de: { title: Ihre Wahl } }
jurisdictions:
  - { code: us, regions: [US], show: nothing }
  - { code: california, regions: [US-CA], show: link }
`;
const PAGE = 'https://www.acme.example';
const NOW = '2026-06-01T12:00:00.000Z';
const secrets = [1, 2].map((byte) => Buffer.alloc(32, byte));

let database: TestDatabase;
let app: HttpServer;

beforeAll(async () => {
  database = await createTestDatabase({ ...auditMigrations, ...consentMigrations });
  const file = parsePurposeFile(FILE, 'purposes.yaml');
  const common = { organizationId: TEST_ORGANIZATION, masterKey: newSecretKey(), clock: fixedClock(NOW) };
  const consent = createConsent({ ...common, db: database.db, file });
  const consentTag = createConsentTag({
    ...common,
    consent,
    file,
    origins: [PAGE],
    merge: true,
    identitySecrets: secrets.map((secret) => `whsec_${secret.toString('base64')}`),
  });
  app = await createHttpServer(
    { ...inMemoryApplication({ db: database.db }), consent, consentTag },
    { rateLimits: { perKey: 1_000, perAddress: 1_000 } },
  );
});

afterAll(async () => {
  await app?.close();
  await database?.close();
});

const ask = (query: string, headers: Record<string, string> = {}) =>
  app.inject({ url: `/consent/v1/notice?${query}`, headers });
const say = (payload: object, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url: '/consent/v1/choices', headers, payload });
const signal = (event_id: string, choices: Record<string, boolean>, said_at = '2026-05-01T10:00:00Z') => ({
  event_id,
  said_at,
  choices,
  notice: { version: '2026-03', language: 'en', variant: 'banner' },
});
const token = (
  claims: object = {},
  secret = secrets[0] ?? Buffer.alloc(0),
  seconds = 600,
  audience = `consent:${TEST_ORGANIZATION}`,
  aheadSeconds = 0,
) =>
  new SignJWT({ identity: { type: 'email', value: 'Ada@x.org' }, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setAudience(audience)
    .setIssuedAt(new Date(new Date(NOW).getTime() + aheadSeconds * 1_000))
    .setExpirationTime(new Date(new Date(NOW).getTime() + seconds * 1_000))
    .sign(secret);

it('tells what people are shown, in their language and by the rules of where they are', async () => {
  const answer = await ask('organization=acme&language=de-AT&region=us-ca', { 'sec-gpc': '1' });
  expect(answer.json()).toEqual({
    organization: 'acme',
    version: '2026-03',
    language: 'de',
    languages: ['en', 'de'],
    texts: expect.objectContaining({ title: 'Ihre Wahl', refuse: 'Alle ablehnen' }),
    jurisdiction: { code: 'california', region: 'US-CA', show: 'link' },
    gpc: { applies: true, purposes: ['advertising'] },
    purposes: [
      {
        code: 'analytics',
        name: 'Auswertung',
        description: null,
        legal_basis: 'consent',
        gpc: false,
        allowed_by_default: false,
        ask_again_days: 180,
        validity_days: 365,
      },
      {
        code: 'advertising',
        name: 'Advertising',
        description: 'Ads.',
        legal_basis: 'opt_out',
        gpc: true,
        allowed_by_default: true,
        ask_again_days: null,
        validity_days: null,
      },
    ],
  });
});

it.each([
  ['', {}, 'en', 'other', 'banner'],
  ['region=US-TX', { 'accept-language': 'fr, de;q=0.8, en;q=0.1' }, 'de', 'us', 'nothing'],
  ['region=nowhere'.slice(0, 13), {}, 'en', 'other', 'banner'],
])('finds language and rules for %s %j', async (query, headers, language, code, show) => {
  expect((await ask(query, headers)).json()).toMatchObject({ language, jurisdiction: { code, show } });
});

it('takes the choices of a browser, also those that were kept in it, and tells what they come to', async () => {
  const anonymous_id = 'browser-of-somebody-1';
  const first = await say({
    anonymous_id,
    signals: [
      signal('new', { analytics: false, advertising: true }, '2026-05-02T10:00:00Z'),
      signal('kept', { analytics: true }),
      signal('odd', { selling: true }),
    ],
  });
  expect(first.json()).toMatchObject({
    signed_in: false,
    gpc: { applies: false },
    outcomes: [
      { event_id: 'new', state: 'stored' },
      { event_id: 'kept', state: 'stored' },
      { event_id: 'odd', state: 'refused', code: 'unknown-purpose' },
    ],
    purposes: [
      { code: 'analytics', said: false, allowed: false },
      { code: 'advertising', said: true, allowed: true },
    ],
  });
  expect((await say({ anonymous_id })).json()).toMatchObject({
    outcomes: [],
    purposes: [{ said: false }, {}],
  });
});

it('keeps what a browser says by itself once, and lets a later choice stand', async () => {
  const anonymous_id = 'browser-with-control';
  const rows = async () =>
    (await database.pool.query(`select event_id from consent_signals where source = 'gpc'`)).rows.length;
  const before = await rows();
  const opted = await say({ anonymous_id }, { 'sec-gpc': '1' });
  expect(opted.json()).toMatchObject({ gpc: { applies: true }, purposes: [{ said: null }, { said: false }] });
  const later = signal('yes', { advertising: true }, '2026-06-01T12:00:01Z');
  await say({ anonymous_id, signals: [later], gpc: true });
  const next = await say({ anonymous_id }, { 'sec-gpc': '1' });
  expect(next.json()).toMatchObject({ purposes: [{}, { said: true, allowed: true }] });
  expect((await rows()) - before).toBe(1);
});

it('counts Global Privacy Control from when the first device of a person saw it, in whatever order they come', async () => {
  const since = ['2026-04-01T00:00:00Z', '2026-05-20T00:00:00Z'];
  const answers = [];
  for (const order of [since, since.toReversed()]) {
    const identity = { type: 'user_id', value: order.join() };
    const identity_token = await token({ identity });
    await say({ identity_token, signals: [signal('yes', { advertising: true })] });
    for (const gpc_since of [...order, ...order]) await say({ identity_token, gpc: true, gpc_since });
    answers.push((await say({ identity_token, gpc: true })).json().purposes[1].said);
  }
  expect(answers).toEqual([true, true]);
  const kept = await database.pool.query(
    `select count(*)::int from consent_signals where source = 'gpc' and said_at in ($1, $2) group by subject`,
    since,
  );
  expect(kept.rows.map(({ count }) => count).sort()).toEqual([1, 2]);
});

it('takes a token that is ahead by as much as clocks are, and a choice once however the address is written', async () => {
  const outcomes = [];
  for (const value of ['Grace@x.org', ' grace@X.org']) {
    const identity_token = await token({ identity: { type: 'email', value } }, undefined, 600, undefined, 59);
    outcomes.push(
      (await say({ identity_token, signals: [signal('g', { analytics: true })], gpc: true })).json(),
    );
  }
  expect(outcomes.map((one) => one.outcomes[0].state)).toEqual(['stored', 'repeated']);
});

it('writes for a person that signed in, by a token of the back end alone', async () => {
  const said = await say({
    identity_token: await token({}, secrets[1]),
    signals: [signal('1', { analytics: true })],
  });
  expect(said.json()).toMatchObject({ signed_in: true, purposes: [{ said: true }, {}] });
  const read = await app.inject({
    method: 'POST',
    url: '/api/v1/consent:read',
    headers: { authorization: `Bearer ${TEST_KEY}` },
    payload: { identity: { type: 'email', value: 'ada@x.org' } },
  });
  expect(read.json()).toMatchObject({ purposes: [{ code: 'analytics', said: true }, {}] });
});

it("lets an event id of one browser stand in no other one's way", async () => {
  await say({ anonymous_id: 'browser-of-mallory-1', signals: [signal('same', { analytics: true })] });
  const other = await say({
    anonymous_id: 'browser-of-bob-00001',
    signals: [signal('same', { analytics: false })],
  });
  expect(other.json()).toMatchObject({ outcomes: [{ event_id: 'same', state: 'stored' }] });
});

it.each([
  ['another secret', () => token({}, Buffer.alloc(32, 9))],
  ['an hour too much', () => token({}, secrets[0], 25 * 3_600)],
  ['nobody', () => token({ identity: undefined })],
  ['another organization', () => token({}, secrets[0], 600, 'consent:other')],
  ['a time that has not come', () => token({}, secrets[0], 600, undefined, 61)],
  ['a blank address', () => token({ identity: { type: 'email', value: ' ' } })],
  ['its time over', () => token({}, secrets[0], -120)],
  ['no signature', async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`],
  ['no token', async () => 'ada@x.org'],
])('refuses a token with %s, and stores nothing', async (_, made) => {
  const before = await database.pool.query('select from consent_signals');
  const answer = await say({ identity_token: await made(), signals: [signal('x', { analytics: true })] });
  expect([answer.statusCode, answer.json().code]).toEqual([401, 'UNAUTHENTICATED']);
  expect(answer.body).not.toContain('x.org');
  expect((await database.pool.query('select from consent_signals')).rowCount).toBe(before.rowCount);
});

it('answers pages of the sites that are allowed, and no others', async () => {
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/consent/v1/choices',
    headers: { origin: PAGE, 'access-control-request-method': 'POST' },
  });
  expect([preflight.statusCode, preflight.headers['access-control-allow-origin']]).toEqual([204, PAGE]);
  expect(preflight.headers['access-control-allow-headers']).toBe('content-type');
  const allowed = await say({ anonymous_id: 'browser-of-page-1' }, { origin: PAGE });
  expect(allowed.headers['access-control-allow-origin']).toBe(PAGE);
  expect(allowed.headers['access-control-allow-credentials']).toBeUndefined();
  for (const origin of ['https://evil.example', 'null', `${PAGE}.evil.example`]) {
    const refused = await say({ anonymous_id: 'browser-of-page-1' }, { origin });
    expect([origin, refused.statusCode]).toEqual([origin, 403]);
    expect(refused.headers['access-control-allow-origin']).toBeUndefined();
  }
  const closed = await app.inject({ url: '/api/v1/purposes', headers: { origin: PAGE } });
  expect(closed.headers['access-control-allow-origin']).toBeUndefined();
});

it.each([
  ['nobody', { signals: [] }],
  ['an address for a random id', { anonymous_id: 'ada@example.org-ada' }],
  ['an identity without a token', { identity: { type: 'email', value: 'ada@x.org' } }],
  [
    'a notice with a NUL',
    {
      anonymous_id: 'browser-of-page-1',
      signals: [{ ...signal('1', {}), notice: { version: '1', language: 'en', variant: '\0' } }],
    },
  ],
  ['too much', { anonymous_id: 'browser-of-page-1', signals: Array(21).fill(signal('1', {})) }],
])('refuses %s', async (_, body) => {
  const answer = await say(body);
  expect([answer.statusCode, answer.json().code]).toEqual([400, 'BAD_INPUT']);
});

it('acts for its own organization alone', async () => {
  expect((await ask('organization=other')).statusCode).toBe(404);
  expect((await say({ organization: 'other', anonymous_id: 'browser-of-page-1' })).statusCode).toBe(404);
});
