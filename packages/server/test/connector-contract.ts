import { beforeEach, describe, expect, test } from 'vitest';
import type { Identity } from '../src/catalog/index.ts';
import type { CollectStep, Connector, Evidence, KeyBatch, LocatedScope } from '../src/connectors/index.ts';

/** A system with two people in it, for the rules that every connector keeps. */
export interface ContractSubject {
  readonly connector: Connector;
  /** A person whose rows erasure changes, every one so that nothing targeted is readable afterwards. */
  readonly person: readonly Identity[];
  /** Another person with rows. */
  readonly other: readonly Identity[];
  /** Everything that the system holds, to see whether a call changed anything. */
  snapshot(): Promise<unknown>;
  close(): Promise<void>;
}

const UNKNOWN: readonly Identity[] = [
  { type: 'email', value: 'nobody@example.com' },
  { type: 'email', value: `'; drop table customers; --"\n\\` },
  { type: 'email', value: '%' },
  { type: 'user_id', value: '99999999999999999999999999' },
  { type: 'no_such_type', value: 'x' },
];

/** The rules of connectors/connector.ts as tests. `open` makes a fresh system with the same data each time. */
export function testConnectorContract(name: string, open: () => Promise<ContractSubject>): void {
  describe(`${name} keeps the contract of connectors`, () => {
    let subject: ContractSubject;

    beforeEach(async () => {
      subject = await open();
      return () => subject.close();
    });

    test('it is reached and has nothing to complain of', async () => {
      expect(await subject.connector.check()).toMatchObject({ ok: true, problems: [] });
    });

    test('people whom nobody knows match nothing, change nothing and are no error', async () => {
      const before = await subject.snapshot();
      const scope = await located(subject, UNKNOWN);
      expect(await arrayOf(scope.keys())).toEqual([]);
      expect(await collect(subject, UNKNOWN)).toMatchObject({
        items: [],
        evidence: { matched: false, counts: {} },
      });
      expect(await erase(subject, scope)).toMatchObject({ matched: false, retained: [] });
      expect(sum((await subject.connector.verify(scope)).remaining)).toBe(0);
      expect(await subject.snapshot()).toEqual(before);
    });

    test('an access ends with what it counted, and changes nothing', async () => {
      const before = await subject.snapshot();
      const { items, evidence } = await collect(subject, subject.person);
      expect(evidence.matched).toBe(true);
      expect(items.length).toBeGreaterThan(0);
      expect(evidence.counts).toEqual(countsOf(items));
      expect(await subject.snapshot()).toEqual(before);
    });

    test('a dry run counts what an erasure does, and changes nothing', async () => {
      const before = await subject.snapshot();
      const scope = await located(subject, subject.person);
      const dry = await erase(subject, scope, 'dry-run');
      expect(sum(dry.counts)).toBeGreaterThan(0);
      expect(await subject.snapshot()).toEqual(before);
      expect((await erase(subject, scope)).counts).toEqual(dry.counts);
    });

    test('what is not erased yet is found by verify', async () => {
      const scope = await located(subject, subject.person);
      const { remaining } = await subject.connector.verify(scope);
      expect(sum(remaining)).toBeGreaterThan(0);
    });

    test('verify finds it without the stored keys as well', async () => {
      const { remaining } = await subject.connector.verify(scopeOf(subject.person, []));
      expect(sum(remaining)).toBeGreaterThan(0);
    });

    test('after an erasure nothing is collected, located or readable', async () => {
      const scope = await located(subject, subject.person);
      expect(sum((await erase(subject, scope)).counts)).toBeGreaterThan(0);
      expect(sum((await subject.connector.verify(scope)).remaining)).toBe(0);
      expect((await collect(subject, subject.person)).items).toEqual([]);
      expect(await arrayOf((await located(subject, subject.person)).keys())).toEqual([]);
    });

    test('a second erasure with the same keys changes nothing and says so', async () => {
      const scope = await located(subject, subject.person);
      await erase(subject, scope);
      const after = await subject.snapshot();
      const again = await erase(subject, scope);
      expect(sum(again.counts)).toBe(0);
      expect(await subject.snapshot()).toEqual(after);
    });

    test('keys that two searches stored are erased once', async () => {
      const scope = await located(subject, subject.person);
      const batches = await arrayOf(scope.keys());
      const { counts } = await erase(subject, scopeOf(subject.person, [...batches, ...batches]), 'dry-run');
      expect(counts).toEqual(
        (await erase(subject, scopeOf(subject.person, [...batches, ...batches]))).counts,
      );
      expect(
        sum((await subject.connector.verify(scopeOf(subject.person, [...batches, ...batches]))).remaining),
      ).toBe(0);
    });

    test('another person has the same data before and after', async () => {
      const before = await collect(subject, subject.other);
      expect(before.items.length).toBeGreaterThan(0);
      await erase(subject, await located(subject, subject.person));
      expect((await collect(subject, subject.other)).items).toEqual(before.items);
    });

    test('batches of keys are small, and name their columns', async () => {
      for await (const batch of (await located(subject, subject.person)).keys()) {
        expect(batch.count).toBeGreaterThan(0);
        expect(batch.count).toBeLessThanOrEqual(1_000);
        expect(batch.columns.length).toBeGreaterThan(0);
      }
    });

    test('work that was aborted does nothing', async () => {
      const before = await subject.snapshot();
      const keys = await arrayOf((await located(subject, subject.person)).keys());
      const scope = { ...scopeOf(subject.person, keys), signal: AbortSignal.abort() };
      await expect(subject.connector.erase(scope, 'erase')).rejects.toThrow();
      await expect(subject.connector.verify(scope)).rejects.toThrow();
      await expect(arrayOf(subject.connector.collect(scope))).rejects.toThrow();
      if (subject.connector.locate) await expect(arrayOf(subject.connector.locate(scope))).rejects.toThrow();
      if (subject.connector.resolve) await expect(subject.connector.resolve(scope)).rejects.toThrow();
      expect(await subject.snapshot()).toEqual(before);
    });

    test('an abort in the middle of an erasure leaves everything as it was', async () => {
      const before = await subject.snapshot();
      const keys = await arrayOf((await located(subject, subject.person)).keys());
      const controller = new AbortController();
      const scope: LocatedScope = {
        ...scopeOf(subject.person, keys),
        signal: controller.signal,
        async *keys() {
          yield* keys;
          controller.abort();
        },
      };
      await expect(subject.connector.erase(scope, 'erase')).rejects.toThrow();
      expect(await subject.snapshot()).toEqual(before);
    });

    test('a collection that is left early can be made again', async () => {
      for await (const step of subject.connector.collect(scopeOf(subject.person, []))) {
        expect(step.state).toBe('item');
        break;
      }
      expect((await collect(subject, subject.person)).items.length).toBeGreaterThan(0);
    });
  });
}

/** A scope with these identities and stored keys. */
export function scopeOf(identities: readonly Identity[], keys: readonly KeyBatch[]): LocatedScope {
  return {
    organizationId: 'test',
    requestId: 'req_test',
    idempotencyKey: 'test',
    identities,
    dueTime: new Date('2030-01-01'),
    signal: new AbortController().signal,
    async *keys() {
      yield* keys;
    },
  };
}

/** A scope with the keys that the connector finds, or none where it finds none by itself. */
export async function located(
  subject: Pick<ContractSubject, 'connector'>,
  identities: readonly Identity[],
): Promise<LocatedScope> {
  const scope = scopeOf(identities, []);
  return scopeOf(identities, await arrayOf(subject.connector.locate?.(scope) ?? []));
}

/** Everything that an access gives, with its evidence. */
export async function collect(
  subject: Pick<ContractSubject, 'connector'>,
  identities: readonly Identity[],
): Promise<{
  readonly items: readonly Extract<CollectStep, { state: 'item' }>['item'][];
  readonly evidence: Evidence;
}> {
  const items = [];
  for await (const step of subject.connector.collect(scopeOf(identities, []))) {
    if (step.state === 'item') items.push(step.item);
    else if (step.state === 'done') return { items, evidence: step.evidence };
    else throw new Error('The contract is tested with systems that answer at once.');
  }
  throw new Error('A collection has to end with `done`.');
}

export async function erase(
  subject: Pick<ContractSubject, 'connector'>,
  scope: LocatedScope,
  mode: 'erase' | 'dry-run' = 'erase',
): Promise<Evidence> {
  const outcome = await subject.connector.erase(scope, mode);
  if (outcome.state === 'pending')
    throw new Error('The contract is tested with systems that answer at once.');
  return outcome.evidence;
}

export async function arrayOf<Value>(values: AsyncIterable<Value> | Iterable<Value>): Promise<Value[]> {
  const array: Value[] = [];
  for await (const value of values) array.push(value);
  return array;
}

export function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function countsOf(items: readonly { readonly collection: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { collection } of items) counts[collection] = (counts[collection] ?? 0) + 1;
  return counts;
}
