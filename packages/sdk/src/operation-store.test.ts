import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { memoryOperationStore } from './memory-operation-store.ts';
import type { OperationStore, StoredOperation } from './operation-store.ts';
import { sqliteOperationStore } from './sqlite-operation-store.ts';

const ADA = 'ada@example.org';

function operation(name: string, more: Partial<StoredOperation> = {}): StoredOperation {
  return {
    name,
    idempotencyKey: `key of ${name}`,
    rpc: 'Delete',
    dryRun: false,
    fingerprint: 'f',
    state: 'QUEUED',
    request: { requestId: 'req_1', identities: [{ type: 'email', value: ADA }], dueTime: null },
    result: null,
    report: { url: 'http://habeas/', secret: 'whsec_c2VjcmV0', attempts: 0 },
    createdAt: new Date('2026-01-01T00:00:00Z'),
    ...more,
  };
}

const RESULT = {
  counts: { rows: 2 },
  retained: [{ category: 'a', count: 1, reason: 'b', until: null }],
  residuals: [{ what: 'backup', until: '2026-02-01T00:00:00.000Z' }],
  error: null,
};

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'habeas-sdk-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const stores: Readonly<Record<string, () => OperationStore>> = {
  memory: memoryOperationStore,
  sqlite: () => sqliteOperationStore({ path: join(folder(), 'operations.sqlite') }),
};

describe.each(Object.entries(stores))('the %s store', (_, open) => {
  it('keeps the first operation of a key', async () => {
    const store = open();
    expect(await store.begin(operation('a'))).toEqual(operation('a'));
    expect(
      await store.begin(operation('b', { idempotencyKey: 'key of a', rpc: 'Get', dryRun: true })),
    ).toEqual(operation('a'));
    expect(await store.find('a')).toEqual(operation('a'));
    expect(await store.find('b')).toBeUndefined();
    await store.close();
  });

  it('changes what is named, to nothing too, and leaves the rest', async () => {
    const store = open();
    await store.begin(operation('a'));
    await store.change('a', { state: 'RUNNING' });
    expect(await store.find('a')).toEqual(operation('a', { state: 'RUNNING' }));
    await store.change('a', { state: 'SUCCEEDED', request: null, result: RESULT });
    expect(await store.find('a')).toEqual(
      operation('a', { state: 'SUCCEEDED', request: null, result: RESULT }),
    );
    await store.change('a', { report: null });
    expect((await store.find('a'))?.report).toBeNull();
    await store.close();
  });

  it('lists what is open, and forgets what is old and not open', async () => {
    const store = open();
    const at = (day: number) => new Date(Date.UTC(2026, 0, day));
    await store.begin(operation('running', { createdAt: at(3), state: 'RUNNING' }));
    await store.begin(operation('unreported', { createdAt: at(2), state: 'FAILED' }));
    await store.begin(operation('old', { createdAt: at(1), state: 'SUCCEEDED', report: null }));
    await store.begin(operation('new', { createdAt: at(9), state: 'NO_MATCH', report: null }));
    expect((await store.open()).map(({ name }) => name).sort()).toEqual(['running', 'unreported']);
    await store.forget(at(5));
    const left = ['running', 'unreported', 'old', 'new'].map(async (name) => [
      (await store.find(name))?.name,
    ]);
    expect((await Promise.all(left)).flat()).toEqual(['running', 'unreported', undefined, 'new']);
    expect((await store.begin(operation('again', { idempotencyKey: 'key of old' }))).name).toBe('again');
    await store.close();
  });
});

describe('the file of the sqlite store', () => {
  it('is read again by the next process, with the same fingerprint key, and by nobody else', async () => {
    const path = join(folder(), 'operations.sqlite');
    const first = sqliteOperationStore({ path });
    await first.begin(operation('a', { state: 'SUCCEEDED', result: RESULT }));
    const { fingerprintKey } = first;
    await first.close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const second = sqliteOperationStore({ path });
    expect(await second.find('a')).toEqual(operation('a', { state: 'SUCCEEDED', result: RESULT }));
    expect(second.fingerprintKey).toEqual(fingerprintKey);
    await second.close();
  });

  it('has no identities any more when operations have ended', async () => {
    const directory = folder();
    const store = sqliteOperationStore({ path: join(directory, 'operations.sqlite') });
    const bytes = () =>
      readdirSync(directory)
        .map((name) => readFileSync(join(directory, name)).toString('latin1'))
        .join();
    for (let index = 0; index < 50; index += 1) await store.begin(operation(`op ${index}`));
    expect(bytes()).toContain(ADA);
    for (let index = 0; index < 50; index += 1) {
      await store.change(`op ${index}`, { state: 'SUCCEEDED', request: null, result: RESULT, report: null });
    }
    await store.close();
    expect(bytes()).not.toContain(ADA);
  });
});
