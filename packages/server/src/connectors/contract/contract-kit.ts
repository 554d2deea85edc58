import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Identity } from '../../catalog/index.ts';
import { pause } from '../../foundation/index.ts';
import { must, Skip } from '../conformance/index.ts';
import type {
  CollectStep,
  Connector,
  EraseMode,
  Evidence,
  Item,
  KeyBatch,
  LocatedScope,
} from '../connector.ts';
import { itemsOf } from '../text-rows.ts';
import type { ContractSubject } from './contract-subject.ts';

/** Everything that an access gave. */
export interface Collected {
  readonly items: readonly Item[];
  readonly evidence: Evidence;
}

/** What the cases ask a store with. */
export interface ContractKit {
  readonly connector: Connector;
  /** A person who has data. Throws a Skip where there is none left. */
  readonly person: readonly Identity[];
  readonly other: readonly Identity[];
  readonly falsy: readonly (readonly Identity[])[];
  readonly canSnapshot: boolean;
  readonly signal: AbortSignal;
  /** A scope with a key of its own. */
  scope(identities: readonly Identity[], keys?: readonly KeyBatch[]): LocatedScope;
  /** A scope with the keys that the connector finds now, or none where it finds none by itself. */
  locate(identities: readonly Identity[]): Promise<LocatedScope>;
  collect(identities: readonly Identity[]): Promise<Collected>;
  erase(scope: LocatedScope, mode?: EraseMode): Promise<Evidence>;
  remaining(scope: LocatedScope): Promise<number>;
  /** Everything that the store holds; undefined where that cannot be told. */
  snapshot(): Promise<unknown>;
}

const PATIENCE_ROUNDS = 600;

/** Asks one store; systems that answer later are asked again until they are done. */
export function createContractKit(subject: ContractSubject, signal: AbortSignal): ContractKit {
  const { connector } = subject;
  const scope: ContractKit['scope'] = (identities, keys = []) => ({
    organizationId: 'contract',
    requestId: `contract-${randomUUID()}`,
    idempotencyKey: randomUUID(),
    identities,
    dueTime: new Date('2100-01-01T00:00:00Z'),
    signal,
    async *keys() {
      yield* keys;
    },
  });
  const waitFor = async <Answer extends { readonly state: string }>(
    ask: (operation: string | undefined) => Promise<Answer | PendingAnswer>,
  ): Promise<Answer> => {
    let operation: string | undefined;
    for (let round = 0; round < PATIENCE_ROUNDS; round += 1) {
      const answer = await ask(operation);
      if (!isPending(answer)) return answer;
      operation = answer.operation;
      await pause(Math.min(Math.max(answer.retryAfterSeconds, 0.05), 5) * 1_000, signal);
    }
    throw new Skip('The store did not come to an end of its work while the case waited.');
  };
  return {
    connector,
    signal,
    get person() {
      if (subject.person === undefined)
        throw new Skip('It needs one more test person to erase: see --person.');
      return subject.person;
    },
    get other() {
      if (subject.other === undefined) throw new Skip('It needs a test person who stays: see --other.');
      return subject.other;
    },
    falsy: subject.falsy ?? [],
    canSnapshot: subject.snapshot !== undefined,
    scope,
    async locate(identities) {
      const asked = scope(identities);
      return scope(identities, await Array.fromAsync(connector.locate?.(asked) ?? []));
    },
    async collect(identities) {
      const items: Item[] = [];
      const asked = scope(identities);
      const end = await waitFor(async (operation) => {
        let last: CollectStep | undefined;
        for await (const step of connector.collect({ ...asked, operation })) {
          must(last === undefined, 'A collection goes on after its last step.');
          if (step.state === 'item') items.push(step.item);
          else if (step.state === 'texts') items.push(...itemsOf(step.texts));
          else last = step;
        }
        must(
          last !== undefined && last.state !== 'item' && last.state !== 'texts',
          'A collection has to end with `done` or `pending`.',
        );
        return last;
      });
      return { items, evidence: end.evidence };
    },
    async erase(asked, mode = 'erase') {
      return (await waitFor((operation) => connector.erase({ ...asked, operation }, mode))).evidence;
    },
    remaining: async (asked) => sum((await connector.verify(asked)).remaining),
    snapshot: async () => subject.snapshot?.(),
  };
}

interface PendingAnswer {
  readonly state: 'pending';
  readonly operation: string;
  readonly retryAfterSeconds: number;
}

function isPending(answer: { readonly state: string }): answer is PendingAnswer {
  return answer.state === 'pending';
}

/** All counts together. */
export function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** How many items each collection has. */
export function countsOf(items: readonly { readonly collection: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { collection } of items) counts[collection] = (counts[collection] ?? 0) + 1;
  return counts;
}

/** Says what differs in counts alone; values may be personal. */
export function mustEqual(got: unknown, want: unknown, otherwise: string): void {
  must(isDeepStrictEqual(got, want), otherwise);
}

/** Counts as text: names of collections and numbers. */
export function inWords(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count} in ${name}`);
  return parts.length === 0 ? 'nothing' : parts.sort().join(', ');
}
