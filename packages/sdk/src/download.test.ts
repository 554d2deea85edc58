import { createHash } from 'node:crypto';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { PDClient } from '@habeas/contract/pd';
import { describe, expect, it } from 'vitest';
import { call, startService, type TestService, testSigner } from '../test/service.ts';
import { memoryOperationStore, type PersonalRecord } from './index.ts';

const ROWS = 3_000;

function* rows(count: number): Generator<PersonalRecord> {
  for (let id = 0; id < count; id += 1)
    yield { collection: 'orders', row: { id, note: `№ ${id} `.repeat(40) } };
}

/** What the proto says that the bytes are. */
const lines = [...rows(ROWS)].map((record) => `${JSON.stringify(record)}\n`).join('');
const sha256 = createHash('sha256').update(lines).digest('hex');

async function offered(service: TestService): Promise<{ name: string; size: number; sha256: string }> {
  const { json } = await service.post('personal-data:get', call({ pageSize: 5_000 }));
  return { name: json.operation.name, size: Number(json.download.size), sha256: json.download.sha256 };
}

async function download(service: TestService, name: string, query: Record<string, string>) {
  const url = `${service.url}/v1/operations/${name}:download?${new URLSearchParams(query)}`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${await service.signer.token()}` } });
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
}

describe('a download', () => {
  it('is offered for a result of more than one page, and for no other', async () => {
    const service = await startService({ get: () => rows(ROWS) });
    expect(await offered(service)).toMatchObject({ size: Buffer.byteLength(lines), sha256 });
    const small = await startService();
    expect((await small.post('personal-data:get')).json).not.toHaveProperty('download');
  });

  it('is the records of all pages over HTTP, from any byte on', async () => {
    const service = await startService({ get: () => rows(ROWS) });
    const { name, size } = await offered(service);
    const whole = await download(service, name, { sha256 });
    expect(whole).toMatchObject({ status: 200 });
    expect(whole.bytes.equals(Buffer.from(lines))).toBe(true);
    for (const offset of [1, 262_144, size - 1, size]) {
      const rest = await download(service, name, { sha256, offset: String(offset) });
      expect(rest.bytes.equals(Buffer.from(lines).subarray(offset))).toBe(true);
    }
  });

  it('is the same over gRPC', async () => {
    const service = await startService({ get: () => rows(ROWS) });
    const { name } = await offered(service);
    const client = createClient(PDClient, createGrpcTransport({ baseUrl: service.url }));
    const chunks: Uint8Array[] = [];
    const headers = { authorization: `Bearer ${await service.signer.token()}` };
    for await (const { data } of client.download({ name, sha256, offset: 300_000n }, { headers }))
      chunks.push(data);
    expect(chunks.length).toBeGreaterThan(1);
    expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThanOrEqual(1024 * 1024);
    expect(Buffer.concat(chunks).equals(Buffer.from(lines).subarray(300_000))).toBe(true);
  });

  it('is refused to strangers, for other results, and behind the end', async () => {
    const service = await startService({ get: () => rows(ROWS) });
    const { name, size } = await offered(service);
    const stranger = await fetch(`${service.url}/v1/operations/${name}:download?sha256=${sha256}`);
    expect(stranger.status).toBe(401);
    await stranger.body?.cancel();
    expect((await download(service, name, { sha256: 'f'.repeat(64) })).status).toBe(409);
    expect((await download(service, name, { sha256, offset: String(size + 1) })).status).toBe(400);
    expect((await download(service, 'op_other', { sha256 })).status).toBe(404);
  });

  it('is ABORTED when its result is no longer kept, as after a restart', async () => {
    const [signer, operations] = [await testSigner(), memoryOperationStore()];
    const before = await startService({ get: () => rows(ROWS), signer, operations });
    const { name } = await offered(before);
    await before.close();
    const service = await startService({ get: () => rows(ROWS), signer, operations });
    expect((await download(service, name, { sha256 })).status).toBe(409);
  });
});

const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

describe('an operation that is cancelled', () => {
  it('has its handler stopped, has FAILED with CANCELLED, and runs again by its key', async () => {
    let runs = 0;
    const service = await startService({
      delete: (asked) => {
        runs += 1;
        return runs === 1 ? asked.later(() => untilAborted(asked.signal)) : { counts: { profiles: 1 } };
      },
    });
    const body = call();
    const { name } = (await service.post('personal-data:delete', body)).json.operation;
    const cancelled = (await service.post(`operations/${name}:cancel`, {})).json.operation;
    const error = { code: 'CANCELLED', message: 'Habeas cancelled the operation.', retryable: true };
    expect(cancelled).toMatchObject({ name, state: 'FAILED', error });
    expect((await service.get(`operations/${name}`)).json.operation).toMatchObject({
      state: 'FAILED',
      error,
    });
    expect((await service.post('personal-data:delete', body)).json.operation).toMatchObject({
      name,
      state: 'SUCCEEDED',
    });
  });

  it('leaves its place in the queue, and those behind it move up', async () => {
    const begun: string[] = [];
    const first = Promise.withResolvers<void>();
    const service = await startService({
      concurrency: 1,
      delete: (asked) =>
        asked.later(async () => {
          begun.push(asked.idempotencyKey);
          if (asked.idempotencyKey === 'first') await first.promise;
          return { counts: {} };
        }),
    });
    const names: string[] = [];
    for (const idempotencyKey of ['first', 'second', 'third']) {
      names.push((await service.post('personal-data:delete', call({ idempotencyKey }))).json.operation.name);
    }
    expect((await service.post(`operations/${names[1]}:cancel`, {})).json.operation.state).toBe('FAILED');
    first.resolve();
    await expect
      .poll(async () => (await service.get(`operations/${names[2]}`)).json.operation.state)
      .toBe('NO_MATCH');
    expect(begun).toEqual(['first', 'third']);
  });

  it('stays as it ended, is found by its key, and is NOT_FOUND when nobody knows it', async () => {
    const service = await startService();
    const { operation } = (await service.post('personal-data:delete', call({ idempotencyKey: 'key-1' })))
      .json;
    const again = await service.post('operations/-:cancel', { idempotencyKey: 'key-1' });
    expect(again.json.operation).toEqual(operation);
    expect((await service.post('operations/op_other:cancel', {})).status).toBe(404);
  });

  it('goes on when its handler does not stop, and says so', async () => {
    const gate = Promise.withResolvers<void>();
    const service = await startService({
      answerWithin: 20,
      delete: async () => {
        await gate.promise;
        return { counts: { profiles: 1 } };
      },
    });
    const { name } = (await service.post('personal-data:delete', call())).json.operation;
    expect((await service.post(`operations/${name}:cancel`, {})).json.operation.state).toBe('RUNNING');
    gate.resolve();
    await expect
      .poll(async () => (await service.get(`operations/${name}`)).json.operation.state)
      .toBe('SUCCEEDED');
  });
});
