import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ADA, call, startService, testSigner } from '../test/service.ts';
import { memoryOperationStore, type PersonalRecord, sqliteOperationStore } from './index.ts';

interface Delivery {
  readonly method: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Takes reports and answers each with the next of the statuses, the last one again and again. */
async function startReceiver(statuses: readonly number[] = [204]) {
  const deliveries: Delivery[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.once('end', () => {
      deliveries.push({ method: request.method, headers: request.headers, body });
      response
        .writeHead(statuses[Math.min(deliveries.length, statuses.length) - 1] ?? 204, { location: '/' })
        .end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
  return { deliveries, callback: { url, secret } };
}

function operationsFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-sdk-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'operations.sqlite');
}

const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

describe('work that a handler asked time for', () => {
  it('is QUEUED at once, and ends under its name', async () => {
    const gate = Promise.withResolvers<void>();
    const service = await startService({
      retryAfter: 1_500,
      delete: (asked) =>
        asked.later(async () => {
          await gate.promise;
          return { counts: { profiles: 2 } };
        }),
    });
    const body = call();
    const first = await service.post('personal-data:delete', body);
    const { name } = first.json.operation;
    expect(first.json.operation).toEqual({ name, state: 'QUEUED', retryAfter: '1.500s' });
    await expect
      .poll(async () => (await service.get(`operations/${name}`)).json.operation.state)
      .toBe('RUNNING');
    expect((await service.post('personal-data:delete', body)).json.operation).toMatchObject({
      name,
      state: 'RUNNING',
    });
    gate.resolve();
    const ended = { name, state: 'SUCCEEDED', counts: { profiles: 2 } };
    await expect.poll(async () => (await service.get(`operations/${name}`)).json.operation).toEqual(ended);
    expect((await service.post('personal-data:delete', body)).json.operation).toEqual(ended);
  });

  it('runs in turns', async () => {
    let at = 0;
    let most = 0;
    const gates: (() => void)[] = [];
    const service = await startService({
      concurrency: 2,
      delete: (asked) =>
        asked.later(async () => {
          at += 1;
          most = Math.max(most, at);
          await new Promise<void>((resolve) => gates.push(resolve));
          at -= 1;
          return { counts: {} };
        }),
    });
    const names = await Promise.all(
      Array.from({ length: 6 }, async () => (await service.post('personal-data:delete')).json.operation.name),
    );
    for (let round = 0; round < 6; round += 1) {
      await vi.waitFor(() => expect(gates.length).toBeGreaterThan(0));
      gates.shift()?.();
    }
    for (const name of names) {
      await expect
        .poll(async () => (await service.get(`operations/${name}`)).json.operation.state)
        .toBe('NO_MATCH');
    }
    expect(most).toBe(2);
  });

  it('gives records and identities in GetOperation', async () => {
    const service = await startService({
      get: (asked) => asked.later(() => [{ collection: 'a', row: { id: 1 } }]),
      resolveIdentities: (asked) => asked.later(() => [{ type: 'user_id', value: '7' }]),
    });
    const got = await service.post('personal-data:get');
    expect(got.json.records).toBeUndefined();
    await expect
      .poll(async () => (await service.get(`operations/${got.json.operation.name}`)).json.records)
      .toEqual([{ collection: 'a', row: { id: 1 } }]);
    const resolved = await service.post('personal-data:resolve-identities');
    await expect
      .poll(async () => (await service.get(`operations/${resolved.json.operation.name}`)).json.identities)
      .toEqual([{ type: 'user_id', value: '7' }]);
  });

  it('goes on after a restart of the service, and is reported then', async () => {
    const path = operationsFile();
    const signer = await testSigner();
    const { deliveries, callback } = await startReceiver();
    const first = await startService({
      signer,
      operations: sqliteOperationStore({ path }),
      delete: (asked) => asked.later(() => untilAborted(asked.signal)),
    });
    const body = call({ callback, dueTime: '2030-01-01T00:00:00Z' });
    const { name } = (await first.post('personal-data:delete', body)).json.operation;
    await first.close();
    const seen: unknown[] = [];
    const second = await startService({
      signer,
      operations: sqliteOperationStore({ path }),
      delete: (asked) =>
        asked.later(() => {
          seen.push([
            asked.idempotencyKey,
            asked.requestId,
            asked.values('email'),
            asked.dueTime?.toISOString(),
          ]);
          return { counts: { profiles: 2 } };
        }),
    });
    await vi.waitFor(() => expect(deliveries).toHaveLength(1));
    const idempotencyKey = 'idempotencyKey' in body ? body.idempotencyKey : '';
    expect(seen).toEqual([[idempotencyKey, 'req_1', [ADA], '2030-01-01T00:00:00.000Z']]);
    expect(JSON.parse(deliveries[0]?.body ?? '')).toEqual({
      operation: name,
      idempotency_key: idempotencyKey,
      state: 'SUCCEEDED',
    });
    expect((await second.post('personal-data:delete', body)).json.operation).toMatchObject({
      name,
      state: 'SUCCEEDED',
    });
    expect(seen).toHaveLength(1);
  });

  it('is remembered after a restart when it had ended', async () => {
    const path = operationsFile();
    const signer = await testSigner();
    const first = await startService({ signer, operations: sqliteOperationStore({ path }) });
    const body = call();
    const answer = await first.post('personal-data:delete', body);
    await first.close();
    const second = await startService({ signer, operations: sqliteOperationStore({ path }) });
    expect((await second.post('personal-data:delete', body)).json).toEqual(answer.json);
    expect(second.deletions).toEqual([]);
  });
});

describe('a handler that takes long without asking for time', () => {
  it('is answered RUNNING in time and goes on', async () => {
    const gate = Promise.withResolvers<void>();
    let runs = 0;
    const service = await startService({
      answerWithin: 20,
      delete: async () => {
        runs += 1;
        await gate.promise;
        return { counts: { profiles: 2 } };
      },
    });
    const body = call();
    const { name, state } = (await service.post('personal-data:delete', body)).json.operation;
    expect(state).toBe('RUNNING');
    expect((await service.post('personal-data:delete', body)).json.operation).toMatchObject({
      name,
      state: 'RUNNING',
    });
    gate.resolve();
    await expect
      .poll(async () => (await service.post('personal-data:delete', body)).json.operation)
      .toMatchObject({ name, state: 'SUCCEEDED' });
    expect(runs).toBe(1);
  });
});

describe('a caller with little time', () => {
  it('is taken also when the deadline is over as it arrives, without a word on the terminal', async () => {
    const warnings: string[] = [];
    const hear = ({ name }: Error) => warnings.push(name);
    process.on('warning', hear);
    onTestFinished(() => void process.off('warning', hear));
    const service = await startService();
    for (let turn = 0; turn < 50; turn += 1) {
      await service.post('personal-data:delete', call(), { 'connect-timeout-ms': '1' });
    }
    expect(warnings).toEqual([]);
  });

  it('is answered RUNNING before its deadline', async () => {
    const service = await startService({ delete: ({ signal }) => untilAborted(signal) });
    const { status, json } = await service.post('personal-data:delete', call(), {
      'connect-timeout-ms': '200',
    });
    expect(status).toBe(200);
    expect(json.operation.state).toBe('RUNNING');
  });
});

describe('a report', () => {
  it('is signed after Standard Webhooks, thin, and sent once when Habeas takes it', async () => {
    const { deliveries, callback } = await startReceiver();
    const service = await startService({
      delete: (asked) => asked.later(() => ({ counts: { profiles: 2 } })),
    });
    const { operation } = (await service.post('personal-data:delete', call({ callback }))).json;
    await vi.waitFor(() => expect(deliveries).toHaveLength(1));
    const headers: IncomingHttpHeaders = deliveries[0]?.headers ?? {};
    const body = deliveries[0]?.body ?? '';
    expect(Object.keys(JSON.parse(body)).sort()).toEqual(['idempotency_key', 'operation', 'state']);
    expect(headers['webhook-id']).toBe(operation.name);
    expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1_000)).toBeLessThan(60);
    const key = Buffer.from(callback.secret.slice('whsec_'.length), 'base64');
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    expect(headers['webhook-signature']).toBe(
      `v1,${createHmac('sha256', key).update(signed).digest('base64')}`,
    );
    expect(body).not.toContain(ADA);
  });

  it('is tried again, with the same id, until Habeas takes it; a redirect is no answer', async () => {
    const { deliveries, callback } = await startReceiver([500, 302, 429, 200]);
    const service = await startService({
      reportDelays: [1, 1, 1, 1],
      delete: (asked) => asked.later(() => ({ counts: {} })),
    });
    await service.post('personal-data:delete', call({ callback }));
    await vi.waitFor(() => expect(deliveries).toHaveLength(4));
    expect(new Set(deliveries.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(deliveries.map(({ method }) => method)).toEqual(['POST', 'POST', 'POST', 'POST']);
    await service.close();
    expect(deliveries).toHaveLength(4);
  });

  it('waits for the next start of the service when it could not be delivered', async () => {
    const path = operationsFile();
    const { deliveries, callback } = await startReceiver([503, 200]);
    const first = await startService({
      operations: sqliteOperationStore({ path }),
      delete: (asked) => asked.later(() => ({ counts: {} })),
    });
    await first.post('personal-data:delete', call({ callback }));
    await vi.waitFor(() => expect(deliveries).toHaveLength(1));
    await first.close();
    await startService({ operations: sqliteOperationStore({ path }) });
    await vi.waitFor(() => expect(deliveries).toHaveLength(2));
  });

  it('is not sent when the answer itself said the end', async () => {
    const { deliveries, callback } = await startReceiver();
    const service = await startService();
    await service.post('personal-data:delete', call({ callback }));
    await service.close();
    expect(deliveries).toEqual([]);
  });

  it('tells of a failure too', async () => {
    const { deliveries, callback } = await startReceiver();
    const service = await startService({
      onError: () => undefined,
      delete: (asked) => asked.later(() => Promise.reject(new Error(ADA))),
    });
    await service.post('personal-data:delete', call({ callback }));
    await vi.waitFor(() => expect(deliveries).toHaveLength(1));
    expect(JSON.parse(deliveries[0]?.body ?? '').state).toBe('FAILED');
  });
});

describe('a result of many pages', () => {
  const rows = (count: number): PersonalRecord[] =>
    Array.from({ length: count }, (_, id) => ({ collection: 'a', row: { id } }));

  it('can be read page by page, and each page again', async () => {
    const service = await startService({ get: () => rows(1_250) });
    const body = call({ pageSize: 500 });
    const ids: number[] = [];
    const pages: number[] = [];
    for (let pageToken: string | undefined = ''; pageToken !== undefined; ) {
      const { json } = await service.post('personal-data:get', { ...body, pageToken });
      const again = await service.post('personal-data:get', { ...body, pageToken });
      expect(again.json).toEqual(json);
      pages.push(json.records.length);
      ids.push(...json.records.map((record: PersonalRecord) => record.row.id));
      pageToken = json.nextPageToken;
    }
    expect(pages).toEqual([500, 500, 250]);
    expect(ids).toEqual(rows(1_250).map(({ row }) => row.id));
  });

  it('calls the handler once for all its pages, and again when the result was too old to be kept', async () => {
    let runs = 0;
    const service = await startService({
      keepResults: 100,
      get: () => {
        runs += 1;
        return rows(3);
      },
    });
    const body = call({ pageSize: 2 });
    const first = await service.post('personal-data:get', body);
    const second = await service.post('personal-data:get', { ...body, pageToken: first.json.nextPageToken });
    expect([second.json.records.length, runs]).toEqual([1, 1]);
    const { name } = first.json.operation;
    await expect
      .poll(async () => (await service.get(`operations/${name}`)).status, { interval: 150 })
      .toBe(409);
    const late = await service.post('personal-data:get', { ...body, pageToken: first.json.nextPageToken });
    expect(late).toMatchObject({ status: 409, json: { code: 'aborted' } });
    const anew = await service.post('personal-data:get', body);
    expect(anew.json).toMatchObject({ operation: first.json.operation, records: first.json.records });
    expect(runs).toBe(2);
  });

  it('refuses tokens that it did not give', async () => {
    const service = await startService({ get: () => rows(3) });
    const body = call({ pageSize: 1 });
    const { json } = await service.post('personal-data:get', body);
    const [spool] = json.nextPageToken.split('.');
    for (const [pageToken, status] of [
      ['nonsense', 409],
      [`${spool}.3`, 400],
      [`${spool}.9999`, 400],
      ['x.0', 409],
    ] as const) {
      expect([pageToken, (await service.post('personal-data:get', { ...body, pageToken })).status]).toEqual([
        pageToken,
        status,
      ]);
    }
  });

  it('keeps memory flat, however large it is', async () => {
    const text = 'x'.repeat(1_000);
    const service = await startService({
      answerWithin: 60_000,
      async *get() {
        for (let id = 0; id < 150_000; id += 1) yield { collection: 'a', row: { id, text } };
      },
    });
    global.gc?.();
    let most = 0;
    const timer = setInterval(() => {
      const { heapUsed, external } = process.memoryUsage();
      most = Math.max(most, heapUsed + external);
    }, 5);
    const before = process.memoryUsage();
    const { json } = await service.post('personal-data:get', call({ pageSize: 10 }));
    clearInterval(timer);
    expect(json.operation.counts).toEqual({ a: 150_000 });
    // The whole result is 150 MB of text.
    expect(most - before.heapUsed - before.external).toBeLessThan(100 * 1024 * 1024);
  });
});

describe('the store', () => {
  it('that fails is an error, not an answer', async () => {
    const store = memoryOperationStore();
    const service = await startService({
      onError: () => undefined,
      operations: { ...store, begin: () => Promise.reject(new Error(`disk of ${ADA} is full`)) },
    });
    const { status, json } = await service.post('personal-data:delete');
    expect({ status, json }).toEqual({
      status: 500,
      json: { code: 'internal', message: 'the service failed' },
    });
    expect(service.deletions).toEqual([]);
  });
});
