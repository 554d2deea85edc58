import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { createLogger, loadConfig } from '../foundation/index.ts';
import { openState } from '../main.ts';

/** Everything that the API has, by its committed description. */
const { paths } = JSON.parse(
  readFileSync(new URL('../../../contract/openapi.json', import.meta.url), 'utf8'),
) as { paths: Record<string, Record<string, { security?: unknown[] }>> };

type State = Awaited<ReturnType<typeof openState>>;

interface House {
  readonly state: State;
  readonly server: Awaited<ReturnType<State['createServer']>>;
  readonly url: string;
  readonly key: string;
}

let database: TestDatabase;
let dataDir: string;
let ours: House;
let theirs: House;

beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = mkdtempSync(join(tmpdir(), 'habeas-organizations-'));
  ours = await openHouse('ours');
  theirs = await openHouse('theirs');
});

afterAll(async () => {
  for (const house of [ours, theirs]) {
    await house.server.close();
    await house.state.close();
  }
  await database.close();
  rmSync(dataDir, { recursive: true });
});

/** A server of one organization; both share the database. */
async function openHouse(organizationId: string): Promise<House> {
  const state = await openState({
    databaseUrl: database.url,
    organizationId,
    dataDir,
    environment: {},
    logger: createLogger({ level: 'silent' }),
  });
  const config = { ...loadConfig({ folder: dataDir, environment: {} }), organization: organizationId };
  const server = await state.createServer(config, { publicUrl: 'http://127.0.0.1:1' });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  return { state, server, url, key: state.firstKey ?? '' };
}

const call = (house: House, key: string, path: string, method = 'GET', body?: object) =>
  fetch(new URL(path, house.url), {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
    },
    ...(method === 'POST' ? { body: JSON.stringify(body ?? {}) } : {}),
  });

describe('two organizations on one database', () => {
  it('have keys of their own, and neither opens any route of the other', async () => {
    expect(ours.key).not.toBe(theirs.key);
    const closed = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([, operation]) => operation.security?.length !== 0)
        .map(([method]) => [method.toUpperCase(), path.replaceAll(/\{[^}]+\}/g, 'req_1')] as const),
    );
    expect(closed.length).toBeGreaterThan(30);
    for (const [method, path] of closed) {
      const answer = await call(ours, theirs.key, path, method);
      expect([method, path, answer.status]).toEqual([method, path, 401]);
      await answer.body?.cancel();
    }
  });

  it('see nothing of each other: not a request, a task, a plan, a receipt, an audit entry', async () => {
    const identities = [{ type: 'email', value: 'ada@example.org' }];
    const made = await call(ours, ours.key, '/api/v1/requests', 'POST', { right: 'access', identities });
    const { id } = (await made.json()) as { id: string };
    expect((await call(ours, ours.key, `/api/v1/requests/${id}`)).status).toBe(200);

    for (const path of ['', '/plan', '/tasks', '/package', '/receipt']) {
      const answer = await call(theirs, theirs.key, `/api/v1/requests/${id}${path}`);
      expect([path, answer.status]).toEqual([path, 404]);
    }
    for (const verb of ['cancel', 'hold', 'reject', 'release', 'approve', 'appeal']) {
      const answer = await call(theirs, theirs.key, `/api/v1/requests/${id}:${verb}`, 'POST', {
        reason: 'x',
      });
      expect([verb, answer.status]).toEqual([verb, 404]);
    }
    for (const list of ['requests', 'tickets', 'clients', 'services']) {
      const answer = await call(theirs, theirs.key, `/api/v1/${list}`);
      expect([list, ((await answer.json()) as { items: unknown[] }).items]).toEqual([list, []]);
    }
    const byRequest = await (await call(theirs, theirs.key, `/api/v1/audit?request=${id}`)).text();
    expect(byRequest).not.toContain(id);
    const audit = await (await call(theirs, theirs.key, '/api/v1/audit')).text();
    expect(audit).not.toContain(id);
    expect(await (await call(ours, ours.key, '/api/v1/audit')).text()).toContain(id);
  });

  it('see and revoke no key of each other, and keep the last one of their own', async () => {
    const answer = await call(ours, ours.key, '/api/v1/api-keys', 'POST', { name: 'ours alone' });
    const made = (await answer.json()) as { id: string; key: string };
    expect(await (await call(ours, made.key, '/api/v1/api-keys')).text()).toContain(made.id);
    expect(await (await call(theirs, theirs.key, '/api/v1/api-keys')).text()).not.toContain(made.id);
    expect((await call(theirs, theirs.key, `/api/v1/api-keys/${made.id}`, 'DELETE')).status).toBe(404);
    expect((await call(ours, made.key, '/api/v1/services')).status).toBe(200);
    expect((await call(ours, made.key, `/api/v1/api-keys/${made.id}`, 'DELETE')).status).toBe(200);
    expect((await call(ours, made.key, '/api/v1/services')).status).toBe(401);
    const last = (await (await call(ours, ours.key, '/api/v1/api-keys')).json()) as {
      items: { id: string; revoked_at: string | null }[];
    };
    const [left] = last.items.filter(({ revoked_at }) => revoked_at === null);
    expect((await call(ours, ours.key, `/api/v1/api-keys/${left?.id}`, 'DELETE')).status).toBe(409);
  });

  it('do not share an Idempotency-Key', async () => {
    const ask = (house: House) =>
      fetch(new URL('/api/v1/requests', house.url), {
        method: 'POST',
        headers: {
          authorization: `Bearer ${house.key}`,
          'content-type': 'application/json',
          'idempotency-key': 'same',
        },
        body: JSON.stringify({ right: 'access', identities: [{ type: 'email', value: 'ada@example.org' }] }),
      });
    const [first, second] = [await ask(ours), await ask(theirs)];
    expect([first.status, second.status]).toEqual([201, 201]);
  });
});
