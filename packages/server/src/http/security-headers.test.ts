import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { inMemoryApplication } from '../../test/in-memory-application.ts';
import { createHttpServer, type HttpServer } from './index.ts';

let database: TestDatabase;
let app: HttpServer;

beforeAll(async () => {
  database = await createTestDatabase();
  app = await createHttpServer(inMemoryApplication({ db: database.db }));
});

afterAll(async () => {
  await app.close();
  await database.close();
});

it('Answers, refusals and paths that do not exist tell a browser to do nothing with them', async () => {
  for (const [url, status] of [
    ['/health', 200],
    ['/api/v1/services', 401],
    ['/nothing', 401],
  ] as const) {
    const { statusCode, headers } = await app.inject(url);
    expect([statusCode, headers]).toEqual([
      status,
      expect.objectContaining({
        'content-security-policy': "default-src 'none';frame-ancestors 'none'",
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'origin-agent-cluster': '?1',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-dns-prefetch-control': 'off',
        'x-download-options': 'noopen',
        'x-frame-options': 'SAMEORIGIN',
        'x-permitted-cross-domain-policies': 'none',
        'x-xss-protection': '0',
      }),
    ]);
    expect(headers['strict-transport-security']).toBeUndefined();
  }
});
