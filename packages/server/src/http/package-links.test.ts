import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { eventually } from '../../test/eventually.ts';
import { inMemoryApplication, TEST_KEY, TEST_ORGANIZATION } from '../../test/in-memory-application.ts';
import { type MailServer, receiveMails } from '../../test/mail-server.ts';
import { MemorySystem, memorySystems } from '../../test/memory-system.ts';
import { auditMigrations } from '../audit/index.ts';
import {
  createLogger,
  createOutbound,
  createOutboundPolicy,
  fixedClock,
  HabeasError,
  loadConfig,
  newSecretKey,
} from '../foundation/index.ts';
import { createMailSender, notifyMigrations, packageTextsFromConfig } from '../notify/index.ts';
import { loadPolicy } from '../policy/index.ts';
import {
  createPackageLinks,
  createPackageStorages,
  createRequests,
  type Requests,
  requestMigrations,
} from '../requests/index.ts';
import { createHttpServer, type HttpServer } from './index.ts';

const caller = { organizationId: TEST_ORGANIZATION, actor: 'key:key_1' };
const clock = fixedClock('2026-03-02T12:00:00Z');
const authorization = `Bearer ${TEST_KEY}`;
let database: TestDatabase;
let mails: MailServer;
let requests: Requests;
let app: HttpServer;
let requestId: string;
let zip: Buffer;

beforeAll(async () => {
  database = await createTestDatabase({ ...auditMigrations, ...notifyMigrations, ...requestMigrations });
  mails = await receiveMails();
  const masterKey = newSecretKey();
  const outbound = createOutbound({ policy: createOutboundPolicy({ allowPrivate: ['127.0.0.0/8'] }) });
  const { db } = database;
  const storages = createPackageStorages({ db, clock, config: loadConfig({ environment: {} }), outbound });
  // Too random to be compressed, so that there is something to divide.
  const rows = [{ email: 'ada@example.org', user_id: 'u1', note: randomBytes(200_000).toString('base64') }];
  requests = createRequests({
    db,
    organizationId: TEST_ORGANIZATION,
    databaseUrl: database.url,
    systems: memorySystems([new MemorySystem('shop', rows), new MemorySystem('mail', [])], []),
    policy: loadPolicy(undefined),
    masterKey,
    clock,
    storages,
    logger: createLogger({ level: 'silent' }),
    sign: async () => ({ signature: 'unsigned in this test', publicKey: {} }),
    proveEntry: async () => {
      throw new HabeasError('UNAVAILABLE', 'Nobody asks for a receipt in this test.');
    },
    callback: () => ({ url: 'http://127.0.0.1/', secret: 'secret' }),
    verifyCallback: () => clock.now(),
    reconcileMilliseconds: 50,
  });
  await requests.start();
  const sender = createMailSender({
    smtp: { url: `smtp://127.0.0.1:${mails.port}`, from: 'privacy@acme.example' },
    outbound,
  });
  const packageTexts = packageTextsFromConfig(loadConfig({ environment: {} }), {
    organizationId: TEST_ORGANIZATION,
    sender,
  });
  const packageLinks = createPackageLinks({
    db,
    storages,
    masterKey,
    clock,
    publicUrl: 'https://privacy.acme.example',
    organizationId: TEST_ORGANIZATION,
    texts: packageTexts,
  });
  const application = inMemoryApplication({ db });
  app = await createHttpServer({
    ...application,
    requests,
    packageLinks,
    publicUrl: 'https://privacy.acme.example',
  });
  const { request } = await requests.receive(caller, {
    right: 'access',
    identities: [{ type: 'email', value: 'ada@example.org' }],
    dryRun: false,
  });
  requestId = request.id;
  await eventually(
    'the request is completed',
    async () => (await requests.get(caller, requestId)).state === 'completed',
  );
  zip = (await app.inject({ url: `/api/v1/requests/${requestId}/package`, headers: { authorization } }))
    .rawPayload;
});

afterAll(async () => {
  await app.close();
  await requests.stop();
  await mails[Symbol.asyncDispose]();
  await database.close();
});

const post = (url: string, payload: object, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url, payload, headers });

async function newToken(ask: object = {}): Promise<string> {
  const made = await post(`/api/v1/requests/${requestId}/package:link`, ask, { authorization });
  expect(made.statusCode).toBe(201);
  const url = new URL(made.json().url);
  expect([url.origin, url.pathname, url.search]).toEqual(['https://privacy.acme.example', '/package', '']);
  return url.hash.slice(1);
}

/** Asks for a code and reads it in the mail. */
async function codeFor(token: string): Promise<string> {
  const before = mails.mails.length;
  const sent = await post('/api/v1/package-links:code', { token });
  expect([sent.statusCode, sent.json()]).toEqual([202, { minutes: 10 }]);
  expect(mails.mails).toHaveLength(before + 1);
  const mail = mails.mails.at(-1);
  expect(mail?.to).toEqual(['ada@example.org']);
  expect(mail?.raw).not.toContain(token);
  return /\b\d{8}\b/.exec(mail?.parsed.text ?? '')?.[0] ?? '';
}

async function opened(
  token: string,
): Promise<{ readonly id: string; readonly cookie: string; readonly secret: string }> {
  const answer = await post('/api/v1/package-links:open', { token, code: await codeFor(token) });
  expect(answer.statusCode).toBe(200);
  const cookie = String(answer.headers['set-cookie']);
  expect(cookie).toMatch(/; HttpOnly; SameSite=Strict; Max-Age=86400; Secure$/);
  const { link_id: id, secret } = answer.json();
  return { id, secret, cookie: cookie.split(';')[0] ?? '' };
}

const download = ({ id, cookie }: { readonly id: string; readonly cookie: string }, range?: string) =>
  app.inject({
    url: `/api/v1/package-downloads/${id}`,
    headers: { cookie, ...(range === undefined ? {} : { range }) },
  });

const downloadsLeft = async (token: string): Promise<number> => {
  const { rows } = await database.pool.query(
    'select downloads_left from habeas.package_links where token_hash = $1',
    [createHash('sha256').update(token).digest()],
  );
  return rows[0].downloads_left;
};

/** The end of a download is noted after its answer was sent. */
const isNoted = () =>
  eventually('the end of the download is noted', async () => {
    const { rows } = await database.pool.query(
      'select count(*)::int as n from habeas.package_grants where counted and not arrived',
    );
    return rows[0].n === 0;
  });

describe('a link to a package', () => {
  it('opens with its token and a fresh code, and gives the package', async () => {
    const link = await opened(await newToken());
    const answer = await download(link);
    expect([answer.statusCode, answer.rawPayload.equals(zip)]).toEqual([200, true]);
    const asProgram = await app.inject({
      url: `/api/v1/package-downloads/${link.id}`,
      headers: { authorization: `Bearer ${link.secret}`, range: 'bytes=100-199' },
    });
    expect([asProgram.statusCode, asProgram.rawPayload.equals(zip.subarray(100, 200))]).toEqual([206, true]);
  });

  it('is used up by nothing but a download, which counts once however it is gone on with', async () => {
    const token = await newToken({ downloads: 2 });
    for (const method of ['GET', 'HEAD', 'GET'] as const) await app.inject({ method, url: '/package' });
    const link = await opened(token);
    await app.inject({
      method: 'HEAD',
      url: `/api/v1/package-downloads/${link.id}`,
      headers: { cookie: link.cookie },
    });
    expect(await downloadsLeft(token)).toBe(2);
    const half = Math.floor(zip.length / 2);
    const parts = [
      await download(link, `bytes=0-${half - 1}`),
      // Interrupted at the beginning, and begun again.
      await download(link, 'bytes=0-9'),
      await download(link, `bytes=${half}-`),
    ];
    expect(parts.map(({ statusCode }) => statusCode)).toEqual([206, 206, 206]);
    expect(Buffer.concat([parts[0]?.rawPayload ?? zip, parts[2]?.rawPayload ?? zip]).equals(zip)).toBe(true);
    await isNoted();
    expect(await downloadsLeft(token)).toBe(1);
    // All of it arrived: whoever begins again begins another one.
    expect((await download(link)).statusCode).toBe(200);
    await isNoted();
    expect(await downloadsLeft(token)).toBe(0);
    expect((await download(link)).statusCode).toBe(404);
    expect((await post('/api/v1/package-links:code', { token })).statusCode).toBe(404);
  });

  it('takes each code once, for ten minutes, and five tries', async () => {
    const token = await newToken();
    const first = await codeFor(token);
    expect((await post('/api/v1/package-links:open', { token, code: first })).statusCode).toBe(200);
    const open = async (code: string) =>
      (await post('/api/v1/package-links:open', { token, code })).json().code;
    expect(await open(first)).toBe('CODE_INVALID');
    const second = await codeFor(token);
    const wrong = second === '00000000' ? '00000001' : '00000000';
    const tries = await Promise.all(Array.from({ length: 5 }, () => open(wrong)));
    expect(tries).toEqual(Array.from({ length: 5 }, () => 'CODE_INVALID'));
    expect(await open(second)).toBe('CODE_INVALID');
    const third = await codeFor(token);
    clock.advance(10 * 60_000);
    expect(await open(third)).toBe('CODE_INVALID');
  });

  it('sends five codes an hour, and is void after twenty wrong ones', async () => {
    const token = await newToken();
    for (let index = 0; index < 5; index += 1) await codeFor(token);
    expect((await post('/api/v1/package-links:code', { token })).statusCode).toBe(429);
    clock.advance(3_600_000);
    for (let index = 0; index < 4; index += 1) {
      const code = await codeFor(token);
      const wrong = code === '00000000' ? '00000001' : '00000000';
      for (let tries = 0; tries < 5; tries += 1)
        expect((await post('/api/v1/package-links:open', { token, code: wrong })).statusCode).toBe(403);
    }
    expect((await post('/api/v1/package-links:code', { token })).statusCode).toBe(404);
  });

  it('is void when it is revoked, with what was opened by it, and when its time is over', async () => {
    const revoked = await newToken();
    const link = await opened(revoked);
    await post(`/api/v1/requests/${requestId}/package:revoke-links`, {}, { authorization });
    expect((await download(link)).statusCode).toBe(404);
    expect((await post('/api/v1/package-links:code', { token: revoked })).statusCode).toBe(404);
    const short = await newToken({ days: 1 });
    clock.advance(86_400_000);
    expect((await post('/api/v1/package-links:code', { token: short })).statusCode).toBe(404);
  });

  it('has a page that loads nothing from elsewhere and holds no secret', async () => {
    const page = await app.inject({ url: '/package' });
    expect(page.statusCode).toBe(200);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.headers['referrer-policy']).toBe('no-referrer');
    expect(page.body).not.toMatch(/(src|href)="https?:/);
    expect((await app.inject({ url: '/api/v1/package-downloads/lnk_1' })).statusCode).toBe(404);
  });

  it('ends with the package', async () => {
    const token = await newToken();
    clock.advance(8 * 86_400_000);
    expect((await post('/api/v1/package-links:code', { token })).statusCode).toBe(404);
    const made = await post(`/api/v1/requests/${requestId}/package:link`, {}, { authorization });
    expect(made.statusCode).toBe(404);
  });
});
