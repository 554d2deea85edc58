import { describe, expect, test } from 'vitest';
import type { Identity } from '../src/catalog/index.ts';
import {
  type CollectSources,
  type CollectStep,
  type ContractSubject,
  contractCases,
  type Evidence,
  itemsOf,
  type KeyBatch,
  type LocatedScope,
  runContractCase,
} from '../src/connectors/index.ts';

export interface ContractTestOptions {
  /** Rules that the store cannot show, with the reason; every other one has to pass. (Default: none) */
  readonly skipped?: Readonly<Record<string, RegExp>>;
}

/** The rules of every connector as tests. `open` makes a fresh store with the same data each time. */
export function testConnectorContract(
  name: string,
  open: () => Promise<ContractSubject>,
  options: ContractTestOptions = {},
): void {
  describe(`${name} keeps the contract of connectors`, () => {
    test.each(contractCases.map((one) => ({ one, title: `${one.name}: ${one.rule}` })))(
      '$title',
      async ({ one }) => {
        const { outcome, detail } = await runContractCase(one, { open }, new AbortController().signal);
        const reason = options.skipped?.[one.name];
        if (reason === undefined) expect({ outcome, detail }).toEqual({ outcome: 'passed', detail: '' });
        else
          expect({ outcome, detail }).toEqual({ outcome: 'skipped', detail: expect.stringMatching(reason) });
      },
    );
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
  sources: CollectSources = 'all',
): Promise<{
  readonly items: readonly Extract<CollectStep, { state: 'item' }>['item'][];
  readonly evidence: Evidence;
}> {
  const items = [];
  for await (const step of subject.connector.collect(scopeOf(identities, []), sources)) {
    if (step.state === 'item') items.push(step.item);
    else if (step.state === 'texts') items.push(...itemsOf(step.texts));
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
