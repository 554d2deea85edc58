import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createNetServer, type Server } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ServePersonalDataOptions } from '@habeas/sdk';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectorTo, startService } from '../../../test/pd-service.ts';
import type { CollectStep } from '../connector.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const ROWS = 20_000;

function* rows(count = ROWS) {
  for (let id = 0; id < count; id += 1) yield { collection: 'orders', row: { id, note: 'ä\n"'.repeat(30) } };
}

/** A service with a large result. */
const startAccounts = (overrides: Partial<ServePersonalDataOptions> = {}) =>
  startService({ get: () => rows(), ...overrides });

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** Between Habeas and the service: each connection is cut when so many bytes of answers went through; the last of them lives on. */
async function startCuttingProxy(target: number, cuts: readonly number[]) {
  let connections = 0;
  const proxy = createNetServer((inside) => {
    let left = cuts[connections] ?? Number.POSITIVE_INFINITY;
    connections += 1;
    const outside = connect(target, '127.0.0.1');
    outside.on('data', (bytes) => {
      left -= bytes.length;
      if (left < 0) {
        inside.resetAndDestroy();
        outside.destroy();
      } else if (!inside.write(bytes)) {
        outside.pause();
        inside.once('drain', () => outside.resume());
      }
    });
    inside.pipe(outside);
    for (const socket of [inside, outside]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        inside.destroy();
        outside.destroy();
      });
    }
  });
  const port = await listen(proxy);
  return { port, connections: () => connections };
}

const scope = () => ({
  organizationId: 'default',
  requestId: 'req_1',
  idempotencyKey: randomUUID(),
  identities: [{ type: 'email', value: 'ada@example.org' }],
  dueTime: new Date('2030-01-01T00:00:00Z'),
  signal: new AbortController().signal,
});

async function all(steps: AsyncIterable<CollectStep>) {
  const ids: unknown[] = [];
  let last: CollectStep | undefined;
  for await (const step of steps) {
    if (step.state === 'item') ids.push(step.item.row.id);
    else last = step;
  }
  return { ids, last };
}

const everyId = Array.from({ length: ROWS }, (_, id) => id);

/** A service by hand that offers `bytes` and answers downloads with `answer`. */
async function startByHand(
  offer: { readonly size: string; readonly sha256: string },
  answer: { readonly status?: number; readonly body: string },
) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    request.resume().once('end', () => {
      const json = { 'content-type': 'application/json' };
      if ((request.url ?? '').includes(':download')) {
        response
          .writeHead(answer.status ?? 200, { 'content-type': 'application/octet-stream' })
          .end(answer.body);
        return;
      }
      const operation = { name: 'op-1', state: 'SUCCEEDED' };
      const records = [{ collection: 'orders', row: { id: 'by page' } }];
      response.writeHead(200, json).end(JSON.stringify({ operation, records, download: offer }));
    });
  });
  return { port: await listen(server), asked };
}

const offerOf = (text: string) => ({
  size: String(Buffer.byteLength(text)),
  sha256: createHash('sha256').update(text).digest('hex'),
});

describe.each(['grpc', 'http'] as const)('a large result over %s', (protocol) => {
  it('comes by Download, whole and in order', async () => {
    const proxy = await startCuttingProxy(await startAccounts(), []);
    const { ids, last } = await all(connectorTo(proxy.port, { protocol }).collect(scope()));
    expect(ids).toEqual(everyId);
    expect(last).toMatchObject({ state: 'done', evidence: { counts: { orders: ROWS }, notes: [] } });
  });

  it('is gone on with where its stream broke', async () => {
    let runs = 0;
    const port = await startAccounts({
      get: () => {
        runs += 1;
        return rows();
      },
    });
    const proxy = await startCuttingProxy(port, [2_000_000, 1_000_000, 300_000]);
    const { ids, last } = await all(connectorTo(proxy.port, { protocol }).collect(scope()));
    expect(ids).toEqual(everyId);
    expect(last).toMatchObject({ state: 'done', evidence: { counts: { orders: ROWS } } });
    expect(proxy.connections()).toBe(4);
    expect(runs).toBe(1);
  });

  it('fails when its stream breaks again and again without bringing anything', async () => {
    const port = await startAccounts();
    const proxy = await startCuttingProxy(port, [2_000_000, ...Array.from({ length: 20 }, () => 0)]);
    const collected = all(connectorTo(proxy.port, { protocol }).collect(scope()));
    await expect(collected).rejects.toMatchObject({ code: 'SYSTEM_UNREACHABLE', retryable: true });
    expect(proxy.connections()).toBeLessThan(10);
  });

  it('takes memory for a piece of it, however slow its reader is', async () => {
    // 190 MB, which the service writes to a file.
    const count = 20_000;
    const note = 'x'.repeat(9_500);
    const port = await startAccounts({
      *get() {
        for (let id = 0; id < count; id += 1) yield { collection: 'orders', row: { id, note } };
      },
    });
    let most = 0;
    let seen = 0;
    for await (const step of connectorTo(port, { protocol, timeoutMilliseconds: 60_000 }).collect(scope())) {
      if (step.state !== 'item') continue;
      seen += 1;
      if (seen % 5_000 !== 0) continue;
      // What could be sent ahead of the reader is sent.
      collectGarbage();
      await new Promise((resolve) => setTimeout(resolve, 20));
      collectGarbage();
      most = Math.max(most, process.memoryUsage().arrayBuffers);
    }
    expect(seen).toBe(count);
    expect(most).toBeLessThan(40 * 1024 * 1024);
  });
});

describe('a download that is not what was offered', () => {
  const text = '{"collection":"orders","row":{"id":1}}\n{"collection":"orders","row":{"id":2}}\n';
  const collect = async (
    offer: { readonly size: string; readonly sha256: string },
    answer: { readonly status?: number; readonly body: string },
  ) => {
    const service = await startByHand(offer, answer);
    return all(connectorTo(service.port, { protocol: 'http' }).collect(scope()));
  };

  it('is taken when all of it fits', async () => {
    expect((await collect(offerOf(text), { body: text })).ids).toEqual([1, 2]);
  });

  it.each([
    ['another hash', { ...offerOf(text), sha256: 'a'.repeat(64) }, text, true],
    ['one byte that is another', offerOf(text), text.replace('2', '3'), true],
    ['more bytes', offerOf(text), `${text}{}\n`, false],
    ['a line that is no JSON', offerOf('nonsense\n'), 'nonsense\n', false],
    ['a line that is no record', offerOf('{"row":{}}\n'), '{"row":{}}\n', false],
    ['a last line without its end', offerOf(text.trimEnd()), text.trimEnd(), false],
    ['no SHA-256', { size: '5', sha256: 'x' }, text, false],
  ])('is refused: %s', async (_, offer, body, retryable) => {
    await expect(collect(offer, { body })).rejects.toMatchObject({ code: 'SYSTEM_GARBAGE', retryable });
  });

  it('ends in a new attempt when the service has lost the result', async () => {
    const gone = collect(offerOf(text), { status: 409, body: '' });
    await expect(gone).rejects.toMatchObject({ code: 'SYSTEM_FAILED', retryable: true });
  });

  it('comes in pages when the service does not answer Download', async () => {
    expect((await collect(offerOf(text), { status: 501, body: '' })).ids).toEqual(['by page']);
  });
});

describe('an operation that nobody needs any more', () => {
  it.each(['grpc', 'http'] as const)('is stopped over %s', async (protocol) => {
    const stopped = Promise.withResolvers<void>();
    const port = await startAccounts({
      answerWithin: 10,
      get: (call) =>
        call.later(
          () =>
            new Promise<never>((_, reject) => {
              call.signal.addEventListener('abort', () => {
                stopped.resolve();
                reject(call.signal.reason);
              });
            }),
        ),
    });
    const connector = connectorTo(port, { protocol });
    const { last } = await all(connector.collect(scope()));
    if (last?.state !== 'pending') throw new Error('the work has not begun');
    const { signal } = new AbortController();
    await connector.cancel?.({ requestId: 'req_1', operation: last.operation, signal });
    await stopped.promise;
    // A service that does not know it has nothing to stop.
    await connector.cancel?.({ requestId: 'req_1', operation: 'op_other', signal });
  });

  it.each([404, 405, 501])('goes on at a service that does not offer to stop it (%i)', async (status) => {
    const asked: string[] = [];
    const port = await listen(
      createServer((request, response) => {
        asked.push(`${request.method} ${request.url}`);
        request.resume().once('end', () => response.writeHead(status).end());
      }),
    );
    const { signal } = new AbortController();
    await connectorTo(port, { protocol: 'http' }).cancel?.({ requestId: 'req_1', operation: 'a/b', signal });
    expect(asked).toEqual(['POST /v1/operations/a%2Fb:cancel']);
  });

  it('is asked about again when the service cannot be reached', async () => {
    const { signal } = new AbortController();
    const cancelled = connectorTo(1).cancel?.({ requestId: 'req_1', operation: 'op-1', signal });
    await expect(cancelled).rejects.toMatchObject({ retryable: true });
  });
});
