import { readFileSync } from 'node:fs';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { inMemoryApplication } from '../../test/in-memory-application.ts';
import { auditMigrations } from '../audit/index.ts';
import { createHttpServer, type HttpServer } from './index.ts';

let database: TestDatabase;
let app: HttpServer;

beforeAll(async () => {
  database = await createTestDatabase(auditMigrations);
  app = await createHttpServer(inMemoryApplication({ db: database.db }), {
    rateLimits: { perKey: 1, perAddress: 1 },
  });
});

afterAll(async () => {
  await app?.close();
  await database?.close();
});

describe.each(['tag.js', 'headless.js'])('/consent/v1/%s', (file) => {
  const built = readFileSync(new URL(import.meta.resolve(`@habeas/consent/${file}`)), 'utf8');
  const get = (headers: Record<string, string> = {}) => app.inject({ url: `/consent/v1/${file}`, headers });

  it('is the built file, for pages of every site, without a key', async () => {
    const { statusCode, headers, body } = await get({ origin: 'https://www.acme.example' });
    expect([statusCode, body]).toEqual([200, built]);
    expect(headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      'x-content-type-options': 'nosniff',
      vary: 'accept-encoding',
    });
    expect(headers['cache-control']).toContain('max-age=3600');
  });

  it.each([
    ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
    ['gzip;q=0.5', 'gzip', gunzipSync],
    ['br;q=0, gzip', 'gzip', gunzipSync],
  ])('is compressed as the browser takes it: %s', async (accepted, encoding, unpack) => {
    const { headers, rawPayload } = await get({ 'accept-encoding': accepted });
    expect(headers['content-encoding']).toBe(encoding);
    expect(unpack(rawPayload).toString()).toBe(built);
    expect(rawPayload.length).toBeLessThan(built.length / 2);
  });

  it('is there for many people behind one address', async () => {
    for (let call = 0; call < 5; call += 1) expect((await get()).statusCode).toBe(200);
  });

  it('is not sent again to who has it, and each way to send it has a tag of its own', async () => {
    const tags = new Set<unknown>();
    for (const encoding of ['identity', 'gzip', 'br']) {
      const { headers } = await get({ 'accept-encoding': encoding });
      tags.add(headers.etag);
      const again = await get({
        'accept-encoding': encoding,
        'if-none-match': `"x", W/${String(headers.etag)}`,
      });
      expect([again.statusCode, again.body, again.headers.etag]).toEqual([304, '', headers.etag]);
    }
    expect(tags.size).toBe(3);
    expect((await get({ 'if-none-match': '"old"' })).statusCode).toBe(200);
  });
});
