import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { type InMemoryApplication, inMemoryApplication, TEST_KEY } from '../../test/in-memory-application.ts';
import { createLogger, HabeasError } from '../foundation/index.ts';
import { createHttpServer, type HttpServer } from './index.ts';

const CANARY = 'canary.person@example.org';
const headers = { authorization: `Bearer ${TEST_KEY}` };

let database: TestDatabase;
let application: InMemoryApplication;
let app: HttpServer;
let log = '';

beforeAll(async () => {
  database = await createTestDatabase();
  const destination = new Writable({
    write(chunk, _encoding, done) {
      log += String(chunk);
      done();
    },
  });
  application = inMemoryApplication({
    db: database.db,
    logger: createLogger({ level: 'trace', destination }),
  });
  app = await createHttpServer(application);
});

afterAll(async () => {
  await app.close();
  await database.close();
});

const post = (payload: unknown) =>
  app.inject({ method: 'POST', url: '/api/v1/requests', headers, payload: payload as object });

describe('a problem document', () => {
  it('names each field that is wrong on its own line, and never a value', async () => {
    const answer = await post({
      right: CANARY,
      identities: [
        { type: CANARY, value: '' },
        { type: 'email', value: `${CANARY}\0` },
        { type: 'email', value: 'a', [CANARY]: 1 },
      ],
      [CANARY]: true,
      surprise: 1,
    });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json(; charset=utf-8)?$/);
    const problem = answer.json();
    expect(problem).toMatchObject({
      type: 'urn:habeas:error:BAD_INPUT',
      title: 'The input does not fit the schema',
      status: 400,
      code: 'BAD_INPUT',
    });
    expect(problem.details).toEqual([
      'body.right: Invalid option: expected one of "access"|"portability"|"erasure"|"rectification"|"restriction"|"objection"|"opt_out_of_sale"|"limit_sensitive_data"',
      'body.identities.0.type: Invalid string: must match pattern /^[a-z][a-z0-9_]{0,62}$/',
      'body.identities.0.value: Too small: expected string to have >=1 characters',
      'body.identities.1.value: text without NUL and without halves of surrogate pairs',
      'body.identities.2: has a field that this operation does not know',
      'body: has unknown fields: surprise',
    ]);
    expect(answer.body).not.toContain('canary');
  });

  it('answers a body that is not JSON, is empty, is too large, or has another type, without repeating it', async () => {
    const send = (payload: string, type: string) =>
      app.inject({
        method: 'POST',
        url: '/api/v1/requests',
        headers: { ...headers, 'content-type': type },
        payload,
      });
    const answers = [
      await send(`{"right": ${CANARY}`, 'application/json'),
      await send('', 'application/json'),
      await send(JSON.stringify({ right: CANARY.repeat(10_000) }), 'application/json'),
      await send(CANARY, 'text/plain'),
      await send(`right=${CANARY}`, 'application/x-www-form-urlencoded'),
      await send('{"__proto__": {"right": "access"}}', 'application/json'),
    ];
    expect(answers.map((answer) => [answer.statusCode, answer.json().code])).toEqual([
      [400, 'BAD_INPUT'],
      [400, 'BAD_INPUT'],
      [413, 'PAYLOAD_TOO_LARGE'],
      [400, 'BAD_INPUT'],
      [400, 'BAD_INPUT'],
      [400, 'BAD_INPUT'],
    ]);
    for (const answer of answers) expect(answer.body).not.toContain('canary');
  });

  it('refuses text that no database keeps as it is, in a URL, a value and a reason', async () => {
    const answers = [
      await app.inject({ method: 'GET', url: '/api/v1/requests/req_%00', headers }),
      await app.inject({ method: 'GET', url: '/api/v1/audit?subject=a%00b', headers }),
      await post({ right: 'access', identities: [{ type: 'email', value: 'ada\ud800@example.org' }] }),
      await app.inject({
        method: 'POST',
        url: '/api/v1/requests/req_1:hold',
        headers,
        payload: { reason: 'a\0b' },
      }),
    ];
    expect(answers.map((answer) => [answer.statusCode, answer.json().code])).toEqual(
      answers.map(() => [400, 'BAD_INPUT']),
    );
  });

  it('says NOT_FOUND for an unknown path without repeating it', async () => {
    const paths = [`/api/v1/requests/${CANARY}`, `/api/v1/tickets/${CANARY}`, `/api/v1/requests/${CANARY}/x`];
    for (const url of [...paths, `/${CANARY}`, `/%zz${CANARY}`, '/api/v1/requests:x']) {
      const answer = await app.inject({ method: 'GET', url, headers });
      expect([url, answer.statusCode, answer.json().code]).toEqual([url, 404, 'NOT_FOUND']);
      expect(answer.body).not.toContain('canary');
    }
  });

  it('gives an unexpected error an id that the log has, and keeps its text to itself', async () => {
    application.connections.check = async () => {
      throw new Error(`Key (email)=(${CANARY}) already exists.`);
    };
    const answer = await app.inject({ method: 'POST', url: '/api/v1/connections/shop:check', headers });
    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toMatchObject({ code: 'INTERNAL' });
    expect(answer.body).not.toContain('canary');
    const lines = log.split('\n').filter((line) => line.includes(answer.json().instance));
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['request failed', 'answered']);
  });

  it('passes the text and details of a HabeasError on, but not its cause', async () => {
    application.connections.check = async () => {
      throw new HabeasError('SYSTEM_UNREACHABLE', 'shop does not answer.', {
        cause: new Error(CANARY),
        details: ['port 5432 is closed'],
      });
    };
    const answer = await app.inject({ method: 'POST', url: '/api/v1/connections/shop:check', headers });
    expect([answer.statusCode, answer.json()]).toEqual([
      502,
      expect.objectContaining({
        code: 'SYSTEM_UNREACHABLE',
        detail: 'shop does not answer.',
        details: ['port 5432 is closed'],
      }),
    ]);
    expect(answer.body).not.toContain('canary');
  });
});

describe('the log', () => {
  it('holds routes and statuses, but nothing of a query, a path, a body or a header', async () => {
    await app.inject({ method: 'GET', url: `/api/v1/requests?state=${CANARY}&email=${CANARY}`, headers });
    await app.inject({ method: 'GET', url: `/api/v1/requests/${CANARY}`, headers });
    await app.inject({
      method: 'GET',
      url: `/api/v1/holders/${CANARY}`,
      headers: { ...headers, 'x-a': CANARY },
    });
    await app.inject({
      method: 'GET',
      url: `/${CANARY}?${CANARY}`,
      headers: { authorization: `Bearer ${CANARY}` },
    });
    await post({ right: 'access', identities: [{ type: 'email', value: CANARY }] });
    expect(log).toContain('"route":"/api/v1/requests"');
    expect(log).toContain('"route":"unknown"');
    expect(log).not.toContain('canary');
    expect(log).not.toContain(TEST_KEY);
  });
});
