import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { inMemoryApplication, TEST_KEY } from '../../test/in-memory-application.ts';
import { createHttpServer, type HttpServer } from './index.ts';

const headers = { authorization: `Basic ${Buffer.from(`admin:${TEST_KEY}`).toString('base64')}` };

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

const get = (url: string) => app.inject({ method: 'GET', url, headers });

describe('the reference page', () => {
  it('loads nothing from another host, and its policy would not let it', async () => {
    const answer = await get('/reference');
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(answer.body).not.toMatch(/(src|href)="(https?:)?\/\//);
    const policy = String(answer.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).not.toMatch(/https?:|unsafe-eval|\*/);
  });

  it('allows its own script by a nonce that is new each time', async () => {
    const nonces = [];
    for (let time = 0; time < 2; time += 1) {
      const answer = await get('/reference');
      const nonce = /script-src 'nonce-([^']+)'/.exec(String(answer.headers['content-security-policy']))?.[1];
      expect(answer.body).toContain(`<script nonce="${nonce}" src="/reference/scalar.js"></script>`);
      nonces.push(nonce);
    }
    expect(nonces[0]).not.toBe(nonces[1]);
    expect(nonces[0]?.length).toBeGreaterThanOrEqual(22);
  });

  it('gets its script from this server', async () => {
    const answer = await get('/reference/scalar.js');
    expect(answer.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'content-encoding': 'gzip',
    });
    const script = gunzipSync(answer.rawPayload).toString();
    expect(script).toContain('data-configuration');
    expect(script.length).toBeGreaterThan(1_000_000);
  });

  it('reads a document that programs get too', async () => {
    const answer = await get('/openapi.json');
    expect(answer.json()).toMatchObject({ openapi: '3.1.1', info: { title: 'Habeas' } });
  });
});
