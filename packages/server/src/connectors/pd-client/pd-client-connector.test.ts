import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type Server, type Socket } from 'node:net';
import type { ServePersonalDataOptions } from '@habeas/sdk';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  CLIENT_CERTIFICATE,
  CLIENT_KEY,
  SERVER_CERTIFICATE,
  SERVER_KEY,
  TEST_CA,
} from '../../../../sdk/test/certificates.ts';
import { connectorTo, startService } from '../../../test/pd-service.ts';
import { createOutbound, createOutboundPolicy } from '../../foundation/index.ts';
import type { CollectStep, LocatedScope } from '../connector.ts';

const ADA = 'ada@example.org';

const startAccounts = (overrides: Partial<ServePersonalDataOptions> = {}) =>
  startService({
    describe: {
      dataCategories: ['user.contact.email'],
      identitiesNeeded: ['email'],
      identitiesResolved: ['user_id'],
      maxConcurrentCalls: 3,
    },
    ...overrides,
  });

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  );
  return (server.address() as AddressInfo).port;
}

/** A service written by hand over HTTP: answers each call with what `answer` does. */
const startByHand = (answer: (request: IncomingMessage, response: ServerResponse) => void) =>
  listen(
    createServer((request, response) => {
      request.resume().once('end', () => answer(request, response));
    }),
  );

const json = (response: ServerResponse, body: unknown, status = 200) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

/** Work that never ends by itself. */
const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

function scope(more: Partial<LocatedScope> = {}): LocatedScope {
  return {
    organizationId: 'default',
    requestId: 'req_1',
    idempotencyKey: randomUUID(),
    identities: [{ type: 'email', value: ADA }],
    dueTime: new Date('2030-01-01T00:00:00Z'),
    signal: new AbortController().signal,
    async *keys() {
      yield* [];
    },
    ...more,
  };
}

async function all(steps: AsyncIterable<CollectStep>) {
  const items: unknown[] = [];
  let last: CollectStep | undefined;
  for await (const step of steps) {
    if (step.state === 'item') items.push(step.item);
    else last = step;
  }
  return { items, last };
}

describe('a call whose answer is lost after it took effect', () => {
  const erased = { operation: { name: 'op-1', state: 'SUCCEEDED', counts: { rows: 3 } } };

  it('is asked after and not made again', async () => {
    const calls: string[] = [];
    const port = await startByHand((request, response) => {
      calls.push(`${request.method} ${request.url}`);
      if (request.method === 'POST') request.socket.destroy();
      else json(response, erased);
    });
    const connector = connectorTo(port, { protocol: 'http' });
    const asked = scope();
    await expect(connector.erase(asked, 'erase')).rejects.toMatchObject({
      code: 'SYSTEM_UNREACHABLE',
      retryable: true,
    });
    expect(await connector.erase({ ...asked, retried: true }, 'erase')).toMatchObject({
      state: 'done',
      evidence: { counts: { rows: 3 } },
    });
    expect(calls).toHaveLength(2);
    expect(calls[1]).toContain('GET /v1/operations/-?');
    expect(calls[1]).toContain(asked.idempotencyKey);
  });

  it.each([400, 404, 500, 501])(
    'is made again, under its key, by a service that answers %i to its key',
    async (status) => {
      const methods: string[] = [];
      const port = await startByHand((request, response) => {
        methods.push(request.method ?? '');
        if (request.method === 'GET') json(response, {}, status);
        else json(response, erased);
      });
      const connector = connectorTo(port, { protocol: 'http' });
      expect(await connector.erase(scope({ retried: true }), 'erase')).toMatchObject({ state: 'done' });
      expect(methods).toEqual(['GET', 'POST']);
    },
  );

  it('is not made again while the service cannot be asked', async () => {
    const methods: string[] = [];
    const port = await startByHand((request) => {
      methods.push(request.method ?? '');
      request.socket.destroy();
    });
    const connector = connectorTo(port, { protocol: 'http' });
    await expect(connector.erase(scope({ retried: true }), 'erase')).rejects.toMatchObject({
      retryable: true,
    });
    expect(methods).toEqual(['GET']);
  });
});

describe.each(['grpc', 'http'] as const)('the connector to a service over %s', (protocol) => {
  it('asks after a call whose answer was lost, by its key, and has nothing done twice', async () => {
    let erasures = 0;
    const port = await startAccounts({
      delete: () => {
        erasures += 1;
        return { counts: { rows: 3 } };
      },
    });
    const connector = connectorTo(port, { protocol });
    const asked = scope();
    await connector.erase(asked, 'erase');
    const again = await connector.erase({ ...asked, retried: true }, 'erase');
    expect(again).toMatchObject({ state: 'done', evidence: { counts: { rows: 3 } } });
    expect(erasures).toBe(1);
    expect(await connector.erase(scope({ retried: true }), 'erase')).toMatchObject({ state: 'done' });
    expect(erasures).toBe(2);
  });

  it('keeps names and reasons that look personal out of evidence, and the rows whole', async () => {
    const port = await startAccounts({
      get: () => [{ collection: `mails of ${ADA}`, row: { text: ADA } }],
      delete: () => ({
        counts: { [`mails of ${ADA}`]: 2, [`calls of ${ADA}`]: 1 },
        retained: [{ category: 'user.financial', count: 1, reason: `invoice of ${ADA}, § 147 AO` }],
      }),
    });
    const connector = connectorTo(port, { protocol });
    const { items, last } = await all(connector.collect(scope()));
    const withheld = 'withheld (it looked like an e-mail address)';
    expect(items).toEqual([{ collection: withheld, row: { text: ADA } }]);
    expect(last).toMatchObject({ evidence: { counts: { [withheld]: 1 } } });
    expect(await connector.erase(scope(), 'erase')).toMatchObject({
      evidence: { counts: { [withheld]: 3 }, retained: [{ collection: 'user.financial', reason: withheld }] },
    });
  });

  it('collects a result of many pages in order and counts it', async () => {
    const rows = Array.from({ length: 12_345 }, (_, id) => ({
      collection: id % 3 === 0 ? 'a' : 'b',
      row: { id },
    }));
    const port = await startAccounts({ get: () => rows });
    const { items, last } = await all(connectorTo(port, { protocol }).collect(scope()));
    expect(items).toEqual(rows);
    expect(last).toEqual({
      state: 'done',
      evidence: { matched: true, counts: { a: 4_115, b: 8_230 }, retained: [], residuals: [], notes: [] },
    });
  });

  it('says of an unknown person that nobody was found, and erases nothing', async () => {
    const connector = connectorTo(await startAccounts(), { protocol });
    const evidence = { matched: false, counts: {}, retained: [], residuals: [], notes: [] };
    expect(await all(connector.collect(scope()))).toEqual({ items: [], last: { state: 'done', evidence } });
    expect(await connector.erase(scope(), 'erase')).toEqual({ state: 'done', evidence });
    expect(await connector.verify(scope())).toEqual({ remaining: {}, retained: [] });
  });

  it('erases, counts only in a dry run, and brings back what is kept and until when', async () => {
    const seen: string[] = [];
    const until = new Date('2033-01-01T00:00:00Z');
    const port = await startAccounts({
      verify: () => ({ counts: { profiles: 2 } }),
      delete: ({ values, dueTime }) => {
        seen.push(`${values('email')} ${dueTime?.toISOString()}`);
        return {
          counts: { profiles: 2 },
          retained: [{ category: 'invoices', count: 3, reason: 'tax law', until }],
          residuals: [{ what: 'backup', until }, { what: 'cache' }],
        };
      },
    });
    const connector = connectorTo(port, { protocol });
    expect(await connector.erase(scope(), 'dry-run')).toMatchObject({
      evidence: { counts: { profiles: 2 } },
    });
    expect(seen).toEqual([]);
    expect(await connector.erase(scope(), 'erase')).toEqual({
      state: 'done',
      evidence: {
        matched: true,
        counts: { profiles: 2 },
        retained: [{ collection: 'invoices', count: 3, reason: 'tax law', until: until.toISOString() }],
        residuals: [
          { what: 'backup', until: until.toISOString() },
          { what: 'cache', until: null },
        ],
        notes: [],
      },
    });
    expect(seen).toEqual([`${ADA} 2030-01-01T00:00:00.000Z`]);
  });

  it('reads again with every verify, also in the same task', async () => {
    let left = 2;
    const port = await startAccounts({ verify: () => ({ counts: { profiles: left } }) });
    const connector = connectorTo(port, { protocol });
    const task = scope();
    expect(await connector.verify(task)).toEqual({ remaining: { profiles: 2 }, retained: [] });
    left = 0;
    expect(await connector.verify(task)).toEqual({ remaining: { profiles: 0 }, retained: [] });
  });

  it('resolves identities that are new, and describes the service', async () => {
    const port = await startAccounts({
      resolveIdentities: () => [
        { type: 'email', value: ADA },
        { type: 'user_id', value: '7' },
        { type: 'user_id', value: '7' },
      ],
    });
    const connector = connectorTo(port, { protocol });
    expect(await connector.resolve?.(scope())).toEqual([{ type: 'user_id', value: '7' }]);
    expect(await connector.describe(new AbortController().signal)).toEqual({
      service: 'accounts',
      capabilities: ['resolve', 'collect', 'erase', 'verify'],
      needs: ['email'],
      resolves: ['user_id'],
      dataCategories: ['user.contact.email'],
      maxConcurrentCalls: 3,
      problems: [],
    });
    expect(await connector.check()).toEqual({
      ok: true,
      message: `accounts (team identity) answers over ${protocol}.`,
      problems: [],
    });
  });

  it('takes a service without the optional rpcs: nobody is resolved, counts stand in for verify', async () => {
    const { resolveIdentities: _, ...without } = { resolveIdentities: undefined };
    const connector = connectorTo(await startAccounts(without), { protocol });
    expect(await connector.resolve?.(scope())).toEqual([]);
  });

  it('waits for work that goes on, and finds its end under the name of the operation', async () => {
    const gate = Promise.withResolvers<void>();
    let runs = 0;
    const port = await startAccounts({
      retryAfter: 7_000,
      delete: (call) =>
        call.later(async () => {
          runs += 1;
          await gate.promise;
          return { counts: { profiles: 1 } };
        }),
    });
    const connector = connectorTo(port, { protocol });
    const task = scope();
    const first = await connector.erase(task, 'erase');
    expect(first).toEqual({
      state: 'pending',
      operation: expect.stringMatching(/^op_/),
      retryAfterSeconds: 7,
    });
    const operation = first.state === 'pending' ? first.operation : '';
    // A second attempt that lost the name is told the same operation.
    expect(await connector.erase(task, 'erase')).toEqual(first);
    expect(await connector.erase({ ...task, operation }, 'erase')).toEqual(first);
    gate.resolve();
    await expect
      .poll(() => connector.erase({ ...task, operation }, 'erase'))
      .toMatchObject({ state: 'done', evidence: { counts: { profiles: 1 } } });
    expect(runs).toBe(1);
  });

  it('collects the pages of an asynchronous result', async () => {
    const rows = Array.from({ length: 2_500 }, (_, id) => ({ collection: 'events', row: { id } }));
    const port = await startAccounts({ get: (call) => call.later(() => rows) });
    const connector = connectorTo(port, { protocol });
    const task = scope();
    const first = await all(connector.collect(task));
    expect(first).toMatchObject({ items: [], last: { state: 'pending' } });
    const operation = first.last?.state === 'pending' ? first.last.operation : '';
    await expect.poll(async () => (await all(connector.collect({ ...task, operation }))).items).toEqual(rows);
  });

  it('makes the call again when the service forgot the operation or it failed', async () => {
    let attempts = 0;
    const port = await startAccounts({
      delete: (call) =>
        call.later(() => {
          attempts += 1;
          if (attempts === 1) throw new Error('once');
          return { counts: { profiles: 1 } };
        }),
    });
    const connector = connectorTo(port, { protocol });
    const task = scope();
    const first = await connector.erase(task, 'erase');
    const operation = first.state === 'pending' ? first.operation : '';
    await expect
      .poll(() => connector.erase({ ...task, operation }, 'erase'))
      .toMatchObject({ state: 'done', evidence: { counts: { profiles: 1 } } });
    expect(attempts).toBe(2);
    expect(await connector.erase(scope({ operation: 'op_forgotten' }), 'erase')).toMatchObject({
      state: 'pending',
    });
  });

  it('waits within one call for a verify and a resolve that go on', async () => {
    const port = await startAccounts({
      retryAfter: 1,
      verify: (call) => call.later(() => ({ counts: { profiles: 0 } })),
      resolveIdentities: (call) => call.later(() => [{ type: 'user_id', value: '7' }]),
    });
    const connector = connectorTo(port, { protocol });
    expect(await connector.verify(scope())).toEqual({ remaining: { profiles: 0 }, retained: [] });
    expect(await connector.resolve?.(scope())).toEqual([{ type: 'user_id', value: '7' }]);
  });

  it('tells what the service says failed, without its words', async () => {
    const port = await startAccounts({
      delete: () => {
        throw new Error(`duplicate key (email)=(${ADA})`);
      },
    });
    const failure = await connectorTo(port, { protocol })
      .erase(scope(), 'erase')
      .catch((error) => error);
    expect(failure).toMatchObject({
      code: 'SYSTEM_FAILED',
      retryable: true,
      message: 'accounts (team identity) says that Delete failed (HANDLER_FAILED).',
    });
  });

  it('tells that its token was refused', async () => {
    const port = await startAccounts({ service: 'another' });
    const connector = connectorTo(port, { protocol });
    await expect(connector.erase(scope(), 'erase')).rejects.toMatchObject({
      code: 'SYSTEM_REFUSED',
      retryable: false,
    });
    expect(await connector.check()).toMatchObject({ ok: false });
  });

  it('tells that nobody listens', async () => {
    const server = createNetServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    await expect(connectorTo(port, { protocol }).verify(scope())).rejects.toMatchObject({
      code: 'SYSTEM_UNREACHABLE',
      retryable: true,
      message: expect.stringMatching(/^accounts \(team identity\) .*could not be reached/),
    });
  });

  it('tells that a service hangs, before and after it took the connection, and serves the next call', async () => {
    let hangs = true;
    const gate = Promise.withResolvers<never>();
    onTestFinished(() => gate.reject(new Error('The test ended.')));
    const describe = { dataCategories: [], identitiesNeeded: ['email'] };
    const port = await startAccounts({ describe: () => (hangs ? gate.promise : describe) });
    const connector = connectorTo(port, { protocol, timeoutMilliseconds: 200 });
    const timeout = { code: 'SYSTEM_TIMEOUT', retryable: true };
    await expect(connector.describe(new AbortController().signal)).rejects.toMatchObject(timeout);
    hangs = false;
    expect(await connector.describe(new AbortController().signal)).toMatchObject({ needs: ['email'] });
    const silent = connectorTo(await listen(createNetServer()), { protocol, timeoutMilliseconds: 200 });
    await expect(silent.erase(scope(), 'erase')).rejects.toMatchObject(timeout);
  });

  it('takes work that a service cannot end in time for work that goes on', async () => {
    const port = await startAccounts({ delete: ({ signal }) => untilAborted(signal) });
    const connector = connectorTo(port, { protocol, timeoutMilliseconds: 500 });
    expect(await connector.erase(scope(), 'erase')).toMatchObject({
      state: 'pending',
      operation: expect.any(String),
    });
  });

  it('tells that the connection broke in the middle', async () => {
    const port = await listen(createNetServer((socket) => socket.once('data', () => socket.destroy())));
    await expect(connectorTo(port, { protocol }).erase(scope(), 'erase')).rejects.toMatchObject({
      code: 'SYSTEM_UNREACHABLE',
      retryable: true,
    });
  });

  it('tells that something answers that is no such service at all', async () => {
    const banners = ['SSH-2.0-OpenSSH_9.2\r\n', '\0\0\0\0garbage', '{"hello": 1}\n'];
    for (const banner of banners) {
      const port = await listen(createNetServer((socket) => socket.resume().end(banner)));
      await expect(connectorTo(port, { protocol }).erase(scope(), 'erase'), banner).rejects.toMatchObject({
        code: 'SYSTEM_GARBAGE',
      });
    }
    const html = await startByHand((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
    );
    await expect(connectorTo(html, { protocol }).erase(scope(), 'erase')).rejects.toMatchObject({
      code: 'SYSTEM_GARBAGE',
    });
  });

  it('never goes to an address that the policy does not allow', async () => {
    const port = await startAccounts();
    const outbound = createOutbound({ policy: createOutboundPolicy({ allowPrivate: [] }) });
    await expect(connectorTo(port, { protocol, outbound }).verify(scope())).rejects.toMatchObject({
      code: 'ADDRESS_NOT_APPROVED',
    });
    const named = connectorTo(port, { protocol, outbound, address: `localhost:${port}` });
    await expect(named.verify(scope())).rejects.toMatchObject({ code: 'ADDRESS_NOT_APPROVED' });
  });

  it('speaks TLS to a service that it can trust, with a certificate of its own where one is asked for', async () => {
    const port = await startAccounts({
      tls: { key: SERVER_KEY, cert: SERVER_CERTIFICATE, clientCa: TEST_CA },
    });
    const own = { cert: CLIENT_CERTIFICATE, key: CLIENT_KEY };
    const good = connectorTo(port, { protocol, tls: { ca: TEST_CA, ...own } });
    expect(await good.verify(scope())).toEqual({ remaining: {}, retained: [] });
    expect(await good.verify(scope())).toEqual({ remaining: {}, retained: [] });
    for (const tls of [{}, { ca: TEST_CA }, own]) {
      const bad = connectorTo(port, { protocol, tls });
      for (let attempt = 0; attempt < 2; attempt += 1) {
        await expect(bad.verify(scope())).rejects.toMatchObject({ code: 'SYSTEM_UNREACHABLE' });
      }
    }
    const clear = connectorTo(port, { protocol });
    await expect(clear.verify(scope())).rejects.toMatchObject({ code: expect.stringMatching(/^SYSTEM_/) });
    const plain = connectorTo(await startAccounts(), { protocol, tls: { ca: TEST_CA } });
    await expect(plain.verify(scope())).rejects.toMatchObject({ code: 'SYSTEM_UNREACHABLE' });
  });

  it('ends with its scope', async () => {
    const enough = new AbortController();
    const port = await startAccounts({
      answerWithin: 60_000,
      delete: ({ signal }) => {
        enough.abort(new Error('enough'));
        return untilAborted(signal);
      },
    });
    await expect(
      connectorTo(port, { protocol }).erase(scope({ signal: enough.signal }), 'erase'),
    ).rejects.toThrow('enough');
  });

  it('uses one connection for many calls', async () => {
    const port = await startAccounts();
    let connections = 0;
    const outbound = createOutbound({ policy: createOutboundPolicy({ allowPrivate: ['127.0.0.1'] }) });
    const counted: typeof outbound = {
      connect: (address, tls) => {
        connections += 1;
        return outbound.connect(address, tls);
      },
    };
    const connector = connectorTo(port, { protocol, outbound: counted });
    for (let index = 0; index < 5; index += 1) await connector.verify(scope());
    expect(connections).toBe(1);
  });
});

const OPERATION = { name: 'op', state: 'SUCCEEDED', counts: { profiles: 1 } };

const GARBAGE: readonly (readonly [string, unknown])[] = [
  ['no operation', {}],
  ['another shape', [1, 2]],
  ['nothing', null],
  ['a text', 'done'],
  ['no state', { operation: { name: 'op' } }],
  ['a state of its own', { operation: { ...OPERATION, state: 'DONE' } }],
  ['a number as state', { operation: { ...OPERATION, state: 99 } }],
  ['a negative count', { operation: { ...OPERATION, counts: { profiles: -1 } } }],
  ['a count that is text', { operation: { ...OPERATION, counts: { profiles: 'many' } } }],
  ['kept without saying what', { operation: { ...OPERATION, state: 'RETAINED' } }],
  [
    'kept without a reason',
    { operation: { ...OPERATION, state: 'RETAINED', retained: [{ category: 'a', count: 1 }] } },
  ],
  ['nobody and a count', { operation: { ...OPERATION, state: 'NO_MATCH' } }],
  ['going on without a name', { operation: { state: 'QUEUED' } }],
  ['a name without end', { operation: { name: 'x'.repeat(201), state: 'QUEUED' } }],
  [
    'a time that is none',
    { operation: { ...OPERATION, retained: [{ category: 'a', reason: 'b', until: 'soon' }] } },
  ],
];

describe('the connector to a service that was written by hand over HTTP', () => {
  it.each(GARBAGE)('calls an answer with %s garbage', async (_, body) => {
    const port = await startByHand((_request, response) => json(response, body));
    await expect(connectorTo(port, { protocol: 'http' }).erase(scope(), 'erase')).rejects.toMatchObject({
      code: 'SYSTEM_GARBAGE',
      retryable: false,
    });
  });

  it('calls broken JSON, broken UTF-8, other types, redirects and endless bodies garbage', async () => {
    const answers: ((response: ServerResponse) => unknown)[] = [
      (response) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"operation": {"name'),
      (response) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(Buffer.from([0x22, 0xff, 0x22])),
      (response) =>
        response
          .writeHead(200, { 'content-type': 'text/plain' })
          .end(JSON.stringify({ operation: OPERATION })),
      (response) => response.writeHead(200).end(JSON.stringify({ operation: OPERATION })),
      (response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      (response) => response.writeHead(418).end(),
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const write = () => {
          while (!response.destroyed && response.write(' '.repeat(65_536)));
          response.once('drain', write);
        };
        write();
      },
    ];
    for (const answer of answers) {
      const port = await startByHand((_, response) => answer(response));
      await expect(connectorTo(port, { protocol: 'http' }).erase(scope(), 'erase')).rejects.toMatchObject({
        code: 'SYSTEM_GARBAGE',
      });
    }
  });

  it('tells by the status what is wrong where there is no code', async () => {
    const cases = [
      [400, 'SYSTEM_REFUSED', false],
      [401, 'SYSTEM_REFUSED', false],
      [403, 'SYSTEM_REFUSED', false],
      [404, 'SYSTEM_REFUSED', false],
      [429, 'SYSTEM_FAILED', true],
      [500, 'SYSTEM_FAILED', true],
      [502, 'SYSTEM_UNREACHABLE', true],
      [503, 'SYSTEM_UNREACHABLE', true],
      [504, 'SYSTEM_TIMEOUT', true],
    ] as const;
    for (const [status, code, retryable] of cases) {
      const port = await startByHand((_, response) =>
        response.writeHead(status).end(`${ADA} is not allowed`),
      );
      const failure = await connectorTo(port, { protocol: 'http' })
        .erase(scope(), 'erase')
        .catch((error) => error);
      expect({ status, code: failure.code, retryable: failure.retryable }).toEqual({
        status,
        code,
        retryable,
      });
      expect(failure.message).not.toContain(ADA);
    }
  });

  it('takes a service that has Get and Delete only: by any identity, verified by counting', async () => {
    const port = await startByHand((request, response) => {
      const counts = { profiles: 3, invoices: 2 };
      const retained = [{ category: 'invoices', count: 2, reason: 'tax law' }];
      if (request.url === '/v1/personal-data:get')
        json(response, { operation: { ...OPERATION, counts, retained } });
      else response.writeHead(404).end('<h1>Not found</h1>');
    });
    const connector = connectorTo(port, { protocol: 'http' });
    expect(await connector.resolve?.(scope())).toEqual([]);
    expect(await connector.verify(scope())).toEqual({
      remaining: { profiles: 3, invoices: 0 },
      retained: [{ collection: 'invoices', count: 2, reason: 'tax law', until: null }],
    });
    expect(await connector.describe(new AbortController().signal)).toMatchObject({
      service: undefined,
      capabilities: ['collect', 'erase', 'verify'],
      needs: [],
    });
  });

  it('keeps numbers that JavaScript would change', async () => {
    const port = await startByHand((_, response) => {
      const row =
        '{"id": 9007199254740993, "small": 7, "price": 12.50, "exact": 0.1, "long": 0.12345678901234567890, "e": 1e400}';
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(
          `{"operation": {"name": "op", "state": "SUCCEEDED"}, "records": [{"collection": "a", "row": ${row}}]}`,
        );
    });
    const { items } = await all(connectorTo(port, { protocol: 'http' }).collect(scope()));
    expect(items).toEqual([
      {
        collection: 'a',
        row: {
          id: '9007199254740993',
          small: 7,
          price: 12.5,
          exact: 0.1,
          long: '0.12345678901234567890',
          e: '1e400',
        },
      },
    ]);
  });

  it('calls records without a collection, records of nobody, and pages in a circle garbage', async () => {
    const record = { collection: 'a', row: {} };
    const answers = [
      { operation: OPERATION, records: [{ row: {} }] },
      { operation: OPERATION, records: [{ collection: 'a' }] },
      { operation: { name: 'op', state: 'NO_MATCH' }, records: [record] },
      { operation: OPERATION, records: [record], nextPageToken: 'again' },
    ];
    for (const answer of answers) {
      const port = await startByHand((_, response) => json(response, answer));
      await expect(all(connectorTo(port, { protocol: 'http' }).collect(scope()))).rejects.toMatchObject({
        code: 'SYSTEM_GARBAGE',
      });
    }
  });

  it('calls identities that are none garbage', async () => {
    for (const identity of [
      { type: 'E mail', value: 'a' },
      { type: 'email', value: '' },
      { type: 'email', value: 'a\0' },
    ]) {
      const port = await startByHand((_, response) =>
        json(response, { operation: OPERATION, identities: [identity] }),
      );
      await expect(connectorTo(port, { protocol: 'http' }).resolve?.(scope())).rejects.toMatchObject({
        code: 'SYSTEM_GARBAGE',
      });
    }
  });
});
