import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { type InMemoryApplication, inMemoryApplication } from '../../test/in-memory-application.ts';
import { createHttpServer, type HttpServer } from './index.ts';

let database: TestDatabase;
let application: InMemoryApplication;
let app: HttpServer;

beforeAll(async () => {
  database = await createTestDatabase();
  application = inMemoryApplication({ db: database.db });
  app = await createHttpServer(application);
});

afterAll(async () => {
  await app.close();
  await database.close();
});

describe('a callback', () => {
  it('needs no key and hands the body over byte by byte with its signature', async () => {
    // Not UTF-8 on purpose: a signature is over bytes, and reading them as text would change these.
    const body = Buffer.concat([Buffer.from('{ "state":\n"SUCCEEDED" }\u0000é'), Buffer.of(0xff, 0xfe)]);
    const answer = await app.inject({
      method: 'POST',
      url: '/api/v1/callbacks/tsk_1',
      headers: {
        'content-type': 'application/json',
        'webhook-id': 'msg_1',
        'webhook-timestamp': '1767225600',
        'webhook-signature': 'v1,abc',
      },
      payload: body,
    });
    expect([answer.statusCode, answer.body]).toEqual([204, '']);
    const [received] = application.requests.callbacks;
    expect(received?.taskId).toBe('tsk_1');
    expect(Buffer.from(received?.body ?? []).equals(body)).toBe(true);
    expect(received?.headers).toMatchObject({
      'webhook-id': 'msg_1',
      'webhook-timestamp': '1767225600',
      'webhook-signature': 'v1,abc',
    });
  });

  it('takes any content type, and refuses what is unsigned or too large', async () => {
    const send = (payload: Buffer, headers: Record<string, string>) =>
      app.inject({ method: 'POST', url: '/api/v1/callbacks/tsk_1', headers, payload });
    const signed = { 'content-type': 'application/cloudevents+json', 'webhook-signature': 'v1,abc' };
    expect((await send(Buffer.from('{}'), signed)).statusCode).toBe(204);
    expect((await send(Buffer.from('{}'), { 'content-type': 'application/json' })).json().code).toBe(
      'UNAUTHENTICATED',
    );
    expect((await send(Buffer.alloc(300_000), signed)).json().code).toBe('PAYLOAD_TOO_LARGE');
  });
});
