import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { type InMemoryApplication, inMemoryApplication, TEST_KEY } from '../../test/in-memory-application.ts';
import { createHttpServer, type HttpServer } from './index.ts';

let database: TestDatabase;
let application: InMemoryApplication;
let app: HttpServer;
let port: number;

beforeEach(async () => {
  database = await createTestDatabase();
  application = inMemoryApplication({ db: database.db });
  app = await createHttpServer(application);
  port = Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port);
});

afterEach(async () => {
  await app.close();
  await database.close();
});

describe('a server that closes', () => {
  it('does not wait for a connection that was opened and never used', async () => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const ended = once(socket, 'end');
    await app.close();
    await ended;
  }, 30_000);

  it('does not wait for a connection that was used and is kept', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /health HTTP/1.1\r\nhost: h\r\n\r\n');
    await once(socket, 'data');
    const ended = once(socket, 'end');
    await app.close();
    await ended;
  }, 30_000);

  it('lets an answer that is under way end first', async () => {
    const { promise: asked, resolve: onAsk } = Promise.withResolvers<void>();
    const { promise: release, resolve: onRelease } = Promise.withResolvers<void>();
    application.connections.check = async () => {
      onAsk();
      await release;
      return { ok: true, message: 'slow and complete', problems: [] };
    };
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `POST /api/v1/connections/shop:check HTTP/1.1\r\nhost: h\r\nauthorization: Bearer ${TEST_KEY}\r\n\r\n`,
    );
    await asked;
    const closed = app.close();
    onRelease();
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toContain('slow and complete');
    await closed;
  }, 30_000);
});
