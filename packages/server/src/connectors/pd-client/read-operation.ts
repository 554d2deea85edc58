import { durationMs, type Timestamp, timestampDate } from '@bufbuild/protobuf/wkt';
import { type Operation, Operation_State as State } from '@habeas/contract/pd';
import type { Pending, Residual, Retained } from '../connector.ts';
import { UnusableAnswer } from './explain-failure.ts';
import { toldText } from './told-text.ts';

/** What an Operation of the contract says, checked. */
export type OperationReading =
  | Pending
  | {
      readonly state: 'ended';
      readonly matched: boolean;
      readonly counts: Readonly<Record<string, number>>;
      readonly retained: readonly Retained[];
      readonly residuals: readonly Residual[];
    }
  | { readonly state: 'failed'; readonly code: string; readonly retryable: boolean };

const MAX_NAME = 200;
const MAX_TEXT = 2_000;
const MAX_ENTRIES = 1_000;
const DEFAULT_RETRY_SECONDS = 5;
const MAX_RETRY_SECONDS = 3_600;

/** Throws an UnusableAnswer for an operation that the contract does not allow. */
export function readOperation(operation: Operation | undefined): OperationReading {
  if (operation === undefined) throw new UnusableAnswer('answered without an operation');
  const { name, state } = operation;
  if (name.length > MAX_NAME) throw new UnusableAnswer('answered with an operation whose name is too long');
  switch (state) {
    case State.QUEUED:
    case State.RUNNING:
      if (name === '') throw new UnusableAnswer('answered that work goes on, but gave the operation no name');
      return { state: 'pending', operation: name, retryAfterSeconds: retryAfter(operation) };
    case State.SUCCEEDED:
    case State.NO_MATCH:
    case State.RETAINED:
      return ended(operation, state !== State.NO_MATCH);
    case State.FAILED:
      return {
        state: 'failed',
        // A code is a word; anything else is not shown.
        code: /^[\w.-]{1,60}$/.test(operation.error?.code ?? '') ? (operation.error?.code ?? '') : 'no code',
        retryable: operation.error?.retryable ?? true,
      };
    default:
      throw new UnusableAnswer('answered with an operation whose state is none of the contract');
  }
}

function ended(operation: Operation, matched: boolean): OperationReading {
  const counts = Object.entries(operation.counts);
  const tooMany = [counts, operation.retained, operation.residuals].some((list) => list.length > MAX_ENTRIES);
  if (tooMany) throw new UnusableAnswer('answered with an operation that has too many entries');
  const retained = operation.retained.map(({ category, count, reason, until }): Retained => {
    if (reason === '') throw new UnusableAnswer('answered that data is kept, but gave no reason');
    return { collection: text(category), count, reason: text(reason), until: time(until) };
  });
  if (operation.state === State.RETAINED && retained.length === 0) {
    throw new UnusableAnswer('answered RETAINED, but did not say what is kept');
  }
  if (!matched && (retained.length > 0 || counts.some(([, count]) => count > 0))) {
    throw new UnusableAnswer('answered NO_MATCH, but counted something');
  }
  return {
    state: 'ended',
    matched,
    counts: summed(counts),
    retained,
    residuals: operation.residuals.map(({ what, until }) => ({ what: text(what), until: time(until) })),
  };
}

function text(given: string): string {
  if (given === '' || given.length > MAX_TEXT) {
    throw new UnusableAnswer('answered with an operation in which a text is missing or too long');
  }
  return toldText(given);
}

/** Counts by name; names that are withheld are one. */
function summed(counts: readonly (readonly [string, number])[]): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (const [name, count] of counts) sums.set(text(name), (sums.get(text(name)) ?? 0) + count);
  return Object.fromEntries(sums);
}

function time(until: Timestamp | undefined): string | null {
  if (until === undefined) return null;
  const date = timestampDate(until);
  if (Number.isNaN(date.getTime()))
    throw new UnusableAnswer('answered with an operation in which a time is none');
  return date.toISOString();
}

/** At least a second, so that a service that says nothing or zero is not asked without a pause. */
function retryAfter(operation: Operation): number {
  const given = operation.retryAfter;
  const seconds = given === undefined ? DEFAULT_RETRY_SECONDS : Math.ceil(durationMs(given) / 1_000);
  return Math.min(Math.max(seconds, 1), MAX_RETRY_SECONDS);
}
