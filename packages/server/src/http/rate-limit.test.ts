import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { inMemoryApplication, TEST_KEY } from '../../test/in-memory-application.ts';
import { createHttpServer, type HttpServer } from './index.ts';
import { countByKey } from './rate-limit.ts';

let database: TestDatabase;
let app: HttpServer;

beforeAll(async () => {
  database = await createTestDatabase();
  app = await createHttpServer(inMemoryApplication({ db: database.db }), {
    rateLimits: { perKey: 5, perAddress: 3 },
  });
});

afterAll(async () => {
  await app.close();
  await database.close();
});

const call = (key: string, remoteAddress: string) =>
  app.inject({
    method: 'GET',
    url: '/api/v1/services',
    headers: { authorization: `Bearer ${key}` },
    remoteAddress,
  });

describe('rate limits', () => {
  it('stop an address that tries keys, and neither the key of another address nor other addresses', async () => {
    const statuses = [];
    for (let attempt = 0; attempt < 5; attempt += 1) {
      statuses.push((await call(`guess-${attempt}`, '192.0.2.1')).statusCode);
    }
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    expect((await call('guess', '192.0.2.2')).statusCode).toBe(401);
    expect((await call(TEST_KEY, '192.0.2.1')).statusCode).toBe(200);
  });

  it('stop a key, wherever it comes from, and say when to try again', async () => {
    let last = await call(TEST_KEY, '192.0.2.3');
    for (let number = 0; number < 5; number += 1) last = await call(TEST_KEY, `192.0.2.${number}`);
    expect([last.statusCode, last.json().code]).toEqual([429, 'TOO_MANY_REQUESTS']);
    expect(Number(last.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(last.headers['retry-after'])).toBeLessThanOrEqual(60);
  });

  it('count each key by itself, from its first call for a minute, and then anew', () => {
    const count = countByKey();
    const counted = (
      [
        ['a', 1_000],
        ['a', 60_999],
        ['b', 60_999],
        ['a', 61_000],
        ['b', 61_000],
      ] as const
    ).map(([actor, now]) => ({ ...count(actor, now) }));
    expect(counted).toEqual([
      { calls: 1, endsAt: 61_000 },
      { calls: 2, endsAt: 61_000 },
      { calls: 1, endsAt: 120_999 },
      { calls: 1, endsAt: 121_000 },
      { calls: 2, endsAt: 120_999 },
    ]);
  });
});
