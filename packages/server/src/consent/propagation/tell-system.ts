import { api } from '@habeas/contract';
import type { ChangeWork, Connector, FlagEffect, LocatedScope } from '../../connectors/index.ts';
import { HabeasError, sha256Hex } from '../../foundation/index.ts';
import type { ToldPurpose } from './consent-message.ts';
import type { Delivery } from './deliveries.ts';

/** Operations that a system has begun and not ended; none: it has done all. */
export interface SystemAnswer {
  readonly operations: Readonly<Record<string, string>>;
  readonly retryAfterSeconds: number;
}

/** The shortest time that a law gives for an opt-out: 15 business days (11 CCR § 7026 (f)); days without them are fewer. */
const DUE_MILLISECONDS = 15 * 86_400_000;

/** What is not allowed comes last: should a system take back more than it is asked to, it is not allowed all the same. */
const EFFECTS: readonly FlagEffect[] = ['lift', 'set'];

/**
 * Whether the purpose is one to note or to take back. What a person said nothing about is taken back only where Habeas had it noted: they may have
 * objected at the system itself.
 */
function isConcerned({ allowed, said, wasRefused }: ToldPurpose, effect: FlagEffect): boolean {
  return effect === 'set' ? !allowed : allowed && (said === true || wasRefused);
}

/**
 * Has a system note what a person's data may not be used for, and take back what they allow. Each effect has a key of its own, which is the same
 * for every try of this state. Throws SYSTEM_REFUSED where the system cannot note objections.
 */
export async function tellSystem(
  connector: Connector,
  {
    system,
    organizationId,
    delivery,
    purposes,
    signal,
  }: {
    readonly system: string;
    readonly organizationId: string;
    readonly delivery: Delivery;
    readonly purposes: readonly ToldPurpose[];
    readonly signal: AbortSignal;
  },
): Promise<SystemAnswer> {
  const change = connector.change?.bind(connector);
  if (change === undefined || !connector.capabilities.has('object'))
    throw new HabeasError(
      'SYSTEM_REFUSED',
      `${system} cannot note objections. Give its dataset columns for them (docs/restriction.md), or take it out of consent.destinations.`,
    );
  const operations: Record<string, string> = {};
  let retryAfterSeconds = 0;
  for (const effect of EFFECTS) {
    const names = purposes.filter((one) => isConcerned(one, effect)).map(({ name }) => name);
    if (names.length === 0) continue;
    const work: ChangeWork = { kind: 'object', right: 'objection', purposes: names, effect };
    const outcome = await change(scopeOf(connector, work), work, 'change');
    if (outcome.state !== 'pending') continue;
    if (!api.isStorable(outcome.operation))
      throw new HabeasError(
        'SYSTEM_GARBAGE',
        `${system} gave an operation a name that is no text. Correct it there.`,
      );
    operations[effect] = outcome.operation;
    retryAfterSeconds = Math.max(retryAfterSeconds, outcome.retryAfterSeconds);
    // One after the other, so that what is set is not taken back by what was asked before.
    break;
  }
  return { operations, retryAfterSeconds };

  function scopeOf(of: Connector, work: ChangeWork & { readonly kind: 'object' }): LocatedScope {
    const operation = delivery.operations[work.effect];
    const scope = {
      organizationId,
      requestId: delivery.id,
      // With the names: after a change of the configuration it is another question.
      idempotencyKey: `${delivery.id}.${work.effect}.${sha256Hex(JSON.stringify(work.purposes)).slice(0, 8)}`,
      identities: delivery.identities,
      dueTime: new Date(delivery.madeAt.getTime() + DUE_MILLISECONDS),
      signal,
      ...(operation === undefined ? {} : { operation }),
    };
    return {
      ...scope,
      async *keys() {
        if (of.locate !== undefined && of.capabilities.has('locate')) yield* of.locate(scope, work);
      },
    };
  }
}
