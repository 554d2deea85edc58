import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import {
  type InMemoryApplication,
  inMemoryApplication,
  TEST_KEY,
  TEST_ORGANIZATION,
} from '../../test/in-memory-application.ts';
import {
  appendAudit,
  auditMigrations,
  openCheckpoint,
  parseProof,
  parseTrust,
  verifyFile,
} from '../audit/index.ts';
import { createHttpServer, type HttpServer } from './index.ts';

const ENTRIES = 300;
let database: TestDatabase;
let application: InMemoryApplication;
let app: HttpServer;

const append = (organizationId: string, count: number) =>
  appendAudit(
    database.db,
    Array.from({ length: count }, (_, at) => ({
      organizationId,
      actor: 'system',
      action: 'a.b',
      subject: `s${at}`,
    })),
    new Date(),
  );

beforeAll(async () => {
  database = await createTestDatabase(auditMigrations);
  application = inMemoryApplication({ db: database.db });
  app = await createHttpServer(application);
  await append(TEST_ORGANIZATION, ENTRIES);
  await append('another', 1);
});

afterAll(async () => {
  await app.close();
  await database.close();
});

const get = (url: string) =>
  app.inject({ method: 'GET', url, headers: { authorization: `Bearer ${TEST_KEY}` } });
const trust = async () => parseTrust((await get('/api/v1/audit/keys')).body);

describe('/api/v1/audit', () => {
  it('has no checkpoint before the first one, and then serves it uncached', async () => {
    expect((await get('/api/v1/audit/checkpoint')).json()).toMatchObject({ code: 'CONFLICT' });
    const note = await application.auditLog.advance();
    const answer = await get('/api/v1/audit/checkpoint');
    expect([answer.body, answer.headers['content-type'], answer.headers['cache-control']]).toEqual([
      note,
      'text/plain; charset=utf-8',
      'no-store',
    ]);
    expect(openCheckpoint(answer.body, await trust())).toMatchObject({ size: ENTRIES });
  });

  it('serves tiles and entries of the layout of tlog-tiles, whole and partial, for ever', async () => {
    const full = await get('/api/v1/audit/tile/0/000');
    expect([full.rawPayload.length, full.headers['cache-control']]).toEqual([
      256 * 32,
      'private, max-age=31536000, immutable',
    ]);
    expect((await get('/api/v1/audit/tile/0/001.p/44')).rawPayload).toHaveLength(44 * 32);
    expect((await get('/api/v1/audit/tile/1/000.p/1')).rawPayload).toHaveLength(32);
    const bundle = (await get('/api/v1/audit/tile/entries/001.p/2')).rawPayload;
    expect(JSON.parse(bundle.toString('utf8', 2, 2 + bundle.readUInt16BE(0)))).toMatchObject({
      subject: 's256',
    });
  });

  it.each([
    ['tile/0/001', 404],
    ['tile/0/001.p/45', 404],
    ['tile/2/000.p/1', 404],
    ['tile/entries/x001/000', 404],
    ['tile/0/1', 400],
    ['tile/64/000', 404],
    ['tile/0/000.p/256', 400],
    ['entries/99999/proof', 404],
    ['entries/301/proof', 404],
    ['entries/x/proof', 404],
    ['consistency?from=301', 400],
    ['consistency?from=-1', 400],
    ['consistency', 400],
  ])('%s is answered with %i', async (path, status) => {
    expect((await get(`/api/v1/audit/${path}`)).statusCode).toBe(status);
  });

  it('proves an entry, and that the log only grew', async () => {
    const earlier = (await get('/api/v1/audit/checkpoint')).body;
    expect(parseProof((await get('/api/v1/audit/entries/300/proof')).body)).toMatchObject({
      index: 299,
      checkpoint: earlier,
    });
    await append(TEST_ORGANIZATION, 5);
    const sequence = ENTRIES + 2;
    expect((await get(`/api/v1/audit/entries/${sequence}/proof`)).json()).toMatchObject({ code: 'CONFLICT' });
    await application.auditLog.advance();
    expect(parseProof((await get(`/api/v1/audit/entries/${sequence}/proof`)).body).index).toBe(ENTRIES);
    const text = (await get(`/api/v1/audit/consistency?from=${ENTRIES}`)).body;
    expect(verifyFile({ text, since: earlier, trust: await trust() })).toMatchObject({ verified: true });
    const other = (await get('/api/v1/audit/consistency?from=7')).body;
    expect(verifyFile({ text: other, since: earlier, trust: await trust() })).toMatchObject({
      verified: false,
    });
  });

  it('hands out the verifying program to anybody, as it is in the repository', async () => {
    const answer = await app.inject({ method: 'GET', url: '/habeas-verify.mjs' });
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([
      200,
      'text/javascript; charset=utf-8',
    ]);
    expect(answer.body).toContain('export function verifyReceipt(');
  });
});
