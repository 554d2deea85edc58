import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import Fastify from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtDashboard } from '../../test/dashboard/built-dashboard.ts';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { inMemoryApplication } from '../../test/in-memory-application.ts';
import { dashboardRoutes } from './dashboard.ts';
import { createHttpServer, type HttpServer } from './index.ts';

let database: TestDatabase;
let app: HttpServer;

beforeAll(async () => {
  await builtDashboard();
  database = await createTestDatabase();
  app = await createHttpServer(inMemoryApplication({ db: database.db }));
});

afterAll(async () => {
  await app.close();
  await database.close();
});

const get = (url: string, encoding = 'identity') =>
  app.inject({ method: 'GET', url, headers: { 'accept-encoding': encoding } });

describe('the dashboard', () => {
  it('is where / leads, and the same page at every address below it, without a key', async () => {
    const root = await get('/');
    expect([root.statusCode, root.headers.location]).toEqual([302, '/app']);
    const refused = await get('/?sign_in_error=FORBIDDEN');
    expect(refused.headers.location).toBe('/app?sign_in_error=FORBIDDEN');
    const bodies = await Promise.all(
      ['/app', '/app/', '/app/requests', '/app/requests/req_1?x=1', '/app/nothing.js'].map(async (url) => {
        const answer = await get(url);
        expect([url, answer.statusCode, answer.headers['content-type']]).toEqual([
          url,
          200,
          'text/html; charset=utf-8',
        ]);
        return answer.body.replace(/nonce="[^"]+"/, '');
      }),
    );
    expect(new Set(bodies).size).toBe(1);
  });

  it('names scripts and styles of this server only, and has a policy that would let no other in', async () => {
    const nonces = [];
    for (let time = 0; time < 2; time += 1) {
      const { body, headers } = await get('/app');
      const policy = String(headers['content-security-policy']);
      const nonce = /style-src 'self' 'nonce-([^']{22,})'/.exec(policy)?.[1];
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
      expect(policy).toContain("default-src 'none'; script-src 'self'; ");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(headers['referrer-policy']).toBe('no-referrer');
      expect(body).toContain(`<meta property="csp-nonce" nonce="${nonce}">`);
      expect(body).not.toMatch(
        /<style|style=|<script(?![^>]* src="\/app\/assets\/)|(src|href)="(?!\/app\/assets\/)/,
      );
      nonces.push(nonce);
    }
    expect(nonces[0]).not.toBe(nonces[1]);
  });

  it('has files that browsers keep for ever, compressed before anybody asked', async () => {
    const page = (await get('/app')).body;
    const script = /src="(\/app\/assets\/[^"]+\.js)"/.exec(page)?.[1] ?? '';
    const [plain, gzip, brotli] = await Promise.all([
      get(script),
      get(script, 'gzip'),
      get(script, 'gzip, br'),
    ]);
    for (const answer of [plain, gzip, brotli]) {
      expect(answer.headers).toMatchObject({
        'content-type': 'text/javascript; charset=utf-8',
        'cache-control': 'public, max-age=31536000, immutable',
        vary: 'accept-encoding',
      });
    }
    expect([gzip.headers['content-encoding'], brotli.headers['content-encoding']]).toEqual(['gzip', 'br']);
    expect(gunzipSync(gzip.rawPayload).equals(plain.rawPayload)).toBe(true);
    expect(brotliDecompressSync(brotli.rawPayload).equals(plain.rawPayload)).toBe(true);
    expect(brotli.rawPayload.length).toBeLessThan(plain.rawPayload.length / 2.5);
  });

  it('loads at most 250 kB of compressed JavaScript before it shows something', async () => {
    const page = (await get('/app')).body;
    const scripts = [...page.matchAll(/(?:src|href)="(\/app\/assets\/[^"]+\.js)"/g)].map(
      ([, path]) => path ?? '',
    );
    const answers = await Promise.all(scripts.map((path) => get(path, 'gzip')));
    const bytes = answers.reduce((sum, { rawPayload }) => sum + rawPayload.length, 0);
    expect(scripts.length).toBeGreaterThan(0);
    expect(bytes).toBeGreaterThan(50_000);
    expect(bytes).toBeLessThanOrEqual(250_000);
  });

  it.each(['..%2findex.html', '%2e%2e%2findex.html', 'index.html', '.built-from', 'x.js'])(
    'has no file %s among its assets',
    async (name) => {
      const answer = await get(`/app/assets/${name}`);
      expect(answer.statusCode).toBe(404);
      expect(answer.json().code).toBe('NOT_FOUND');
    },
  );
});

describe('a dashboard that is not built', () => {
  it('says how to build it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'habeas-dashboard-'));
    const bare = Fastify();
    try {
      bare.setValidatorCompiler(validatorCompiler);
      bare.setSerializerCompiler(serializerCompiler);
      dashboardRoutes(bare as unknown as HttpServer, folder);
      expect((await bare.inject('/app')).body).toContain('npm run -w packages/web build');
      mkdirSync(join(folder, 'assets'));
      writeFileSync(join(folder, 'index.html'), 'built meanwhile');
      expect((await bare.inject('/app')).body).toBe('built meanwhile');
    } finally {
      await bare.close();
      rmSync(folder, { recursive: true });
    }
  });
});
