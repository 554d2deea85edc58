import { createHash } from 'node:crypto';
import { api } from '@habeas/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { inMemoryApplication, TEST_KEY } from '../../test/in-memory-application.ts';
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

const get = (query: string) =>
  app.inject({
    method: 'GET',
    url: `/api/v1/map/export${query}`,
    headers: { authorization: `Bearer ${TEST_KEY}` },
  });

describe('an export', () => {
  it.each(api.MAP_EXPORT_FORMATS)('in %s comes as a file with its length and digest', async (format) => {
    const answer = await get(`?format=${format}`);
    expect(answer.statusCode).toBe(200);
    const digest = createHash('sha256').update(answer.rawPayload).digest('base64');
    expect(answer.headers).toMatchObject({
      'content-length': String(answer.rawPayload.length),
      'repr-digest': `sha-256=:${digest}:`,
      'content-disposition': expect.stringMatching(/^attachment; filename="data-map\.[a-z.]+"$/),
      'cache-control': 'no-store',
    });
    if (format !== 'record-xlsx') expect(answer.body).toContain('acme');
  });

  it('is JSON without a format, and refuses one that does not exist', async () => {
    expect(api.mapExportSchema.safeParse((await get('')).json()).success).toBe(true);
    expect((await get('?format=pdf')).json()).toMatchObject({ code: 'BAD_INPUT' });
  });
});
