import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { api } from '@habeas/contract';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import {
  type InMemoryApplication,
  inMemoryApplication,
  TEST_KEY,
  TEST_ORGANIZATION,
} from '../../test/in-memory-application.ts';
import { createHttpServer, type HttpServer } from './index.ts';

let database: TestDatabase;
let application: InMemoryApplication;
let app: HttpServer;
let port: number;

beforeEach(async () => {
  database = await createTestDatabase();
  application = inMemoryApplication({ db: database.db });
  app = await createHttpServer(application, { heartbeatMilliseconds: 20 });
  port = Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port);
});

afterEach(async () => {
  await app.close();
  await database.close();
});

const publish = (requestId: string, type = 'request.running', organizationId = 'acme') =>
  application.publish({ organizationId, requestId, type, data: { open: 1 } });

interface Followed extends AsyncDisposable {
  readonly status: number;
  readonly headers: Headers;
  /** Reads until this many events came, and gives all that came so far. */
  events(count: number): Promise<readonly { readonly position: string; readonly type: string }[]>;
  text(): string;
  /** Settles when the server ended the stream. */
  readonly ended: Promise<void>;
}

async function follow(query: string, headers: Record<string, string> = {}): Promise<Followed> {
  const controller = new AbortController();
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/events${query}`, {
    headers: { authorization: `Bearer ${TEST_KEY}`, ...headers },
    signal: controller.signal,
  });
  let text = '';
  const ended = Promise.withResolvers<void>();
  const read = async () => {
    for await (const chunk of answer.body ?? []) text += new TextDecoder().decode(chunk);
  };
  read().then(ended.resolve, () => undefined);
  const parse = () =>
    [...text.matchAll(/^id: (\d+)\ndata: (.*)\n\n/gm)].map(([, position = '', data = '']) => ({
      position,
      type: String(JSON.parse(data).type),
    }));
  return {
    status: answer.status,
    headers: answer.headers,
    text: () => text,
    ended: ended.promise,
    async events(count) {
      await vi.waitFor(() => expect(parse().length).toBeGreaterThanOrEqual(count));
      return parse();
    },
    [Symbol.asyncDispose]: async () => controller.abort(),
  };
}

describe('the event stream', () => {
  it('sends what happens from now on, with the position as the id', async () => {
    publish('req_1', 'request.received');
    await using stream = await follow('');
    await vi.waitFor(() => expect(application.subscribers()).toBe(1));
    publish('req_1', 'request.running');
    expect(await stream.events(1)).toEqual([{ position: '2', type: 'request.running' }]);
    expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(stream.headers.get('cache-control')).toBe('no-cache, no-transform');
  });

  it('goes on after Last-Event-ID, which goes before `after`, and narrows to one request', async () => {
    for (const [id, type] of [
      ['req_1', 'a'],
      ['req_2', 'b'],
      ['req_1', 'c'],
      ['req_1', 'd'],
    ] as const)
      publish(id, type);
    await using all = await follow('?after=0');
    expect((await all.events(4)).map(({ type }) => type)).toEqual(['a', 'b', 'c', 'd']);
    await using one = await follow('?after=0&request_id=req_1');
    expect((await one.events(3)).map(({ type }) => type)).toEqual(['a', 'c', 'd']);
    await using rest = await follow('?after=0&request_id=req_1', { 'last-event-id': '1' });
    expect((await rest.events(2)).map(({ type }) => type)).toEqual(['c', 'd']);
  });

  it('never sends an event of another organization', async () => {
    await using stream = await follow('?after=0');
    publish('req_1', 'secret', 'other');
    publish('req_1', 'ours');
    expect((await stream.events(1)).map(({ type }) => type)).toEqual(['ours']);
  });

  it('sends comments while nothing happens', async () => {
    await using stream = await follow('');
    await vi.waitFor(() => expect(stream.text().match(/^: still here$/gm)?.length).toBeGreaterThan(2));
    expect(stream.text()).toMatch(/^retry: \d+\n\n/);
  });

  it('refuses a position that is none', async () => {
    await using stream = await follow('?after=yesterday');
    expect(stream.status).toBe(400);
  });

  it('ends its subscription when the client leaves', async () => {
    {
      await using stream = await follow('?after=0');
      publish('req_1');
      await stream.events(1);
      expect(application.subscribers()).toBe(1);
    }
    await vi.waitFor(() => expect(application.subscribers()).toBe(0));
  });

  it('ends when the server closes, so that closing does not wait for clients', async () => {
    await using stream = await follow('?after=0');
    publish('req_1');
    await stream.events(1);
    await app.close();
    await stream.ended;
    expect(application.subscribers()).toBe(0);
  });

  it('stops reading events while a client does not take them', async () => {
    const big = 'x'.repeat(10_000);
    const total = 5_000;
    for (let number = 0; number < total; number += 1) publish('req_1', big);
    let taken = 0;
    const { subscribe } = application.feed;
    application.feed.subscribe = async function* (options) {
      for await (const event of subscribe.call(application.feed, options)) {
        taken += 1;
        yield event;
      }
    };
    const socket: Socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.pause();
    socket.write(
      `GET /api/v1/events?after=0 HTTP/1.1\r\nhost: h\r\nauthorization: Bearer ${TEST_KEY}\r\n\r\n`,
    );
    let before = -1;
    await vi.waitFor(
      () => {
        const stopped = taken > 0 && taken === before;
        before = taken;
        expect(stopped).toBe(true);
      },
      { interval: 200, timeout: 10_000 },
    );
    expect(taken).toBeLessThan(total);
    let received = 0;
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    socket.resume();
    await vi.waitFor(() => expect(received).toBeGreaterThan(total * big.length), { timeout: 20_000 });
    socket.destroy();
  });
});

it('lists the events of one request page by page, each once, and of no other', async () => {
  const { id } = application.requests.addFinished(TEST_ORGANIZATION, Buffer.from('zip'));
  for (const type of ['request.received', 'request.running', 'request.completed']) {
    application.publish({ organizationId: TEST_ORGANIZATION, requestId: id, type, data: { matched: true } });
    application.publish({ organizationId: TEST_ORGANIZATION, requestId: 'req_9', type, data: {} });
    application.publish({ organizationId: 'other', requestId: id, type, data: {} });
  }
  const headers = { authorization: `Bearer ${TEST_KEY}` };
  const read = async (query: string) => {
    const answer = await app.inject({ url: `/api/v1/requests/${id}/events${query}`, headers });
    const page = api.eventPageSchema.parse(answer.json());
    return { types: page.items.map(({ type }) => type), next: page.next };
  };
  const first = await read('?limit=2');
  expect(first.types).toEqual(['request.received', 'request.running']);
  expect(await read(`?limit=2&cursor=${first.next}`)).toEqual({ types: ['request.completed'], next: null });
  for (const [url, status] of [
    ['/api/v1/requests/req_none/events', 404],
    [`/api/v1/requests/${id}/events?cursor=x`, 400],
  ] as const) {
    expect((await app.inject({ url, headers })).statusCode).toBe(status);
  }
});
