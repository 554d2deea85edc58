import type { OperationResult, OperationState } from './operation-store.ts';
import { type Counted, PersonalDataError } from './personal-data.ts';

const MAX_COUNT = 0xffff_ffff;

/** The result that a handler's answer stands for, and the state that follows. Throws a PersonalDataError for counts that are none. */
export function toResult(counted: Counted): {
  readonly state: OperationState;
  readonly result: OperationResult;
} {
  const retained = (counted.retained ?? []).map((entry) => ({
    category: entry.category,
    count: checkedCount(entry.count ?? 1),
    reason: entry.reason,
    until: entry.until?.toISOString() ?? null,
  }));
  const counts = Object.fromEntries(
    Object.entries(counted.counts).map(([name, count]) => [name, checkedCount(count)]),
  );
  const residuals = (counted.residuals ?? []).map(({ what, until }) => ({
    what,
    until: until?.toISOString() ?? null,
  }));
  return {
    state: stateOf({ counts, retained, residuals }),
    result: { counts, retained, residuals, error: null },
  };
}

function stateOf(result: Pick<OperationResult, 'counts' | 'retained' | 'residuals'>): OperationState {
  if (result.retained.length > 0) return 'RETAINED';
  const found = Object.values(result.counts).some((count) => count > 0) || result.residuals.length > 0;
  return found ? 'SUCCEEDED' : 'NO_MATCH';
}

function checkedCount(count: number): number {
  if (Number.isInteger(count) && count >= 0 && count <= MAX_COUNT) return count;
  throw new PersonalDataError('BAD_COUNT', 'A handler answered a count that is not a whole number from 0.', {
    retryable: false,
  });
}

/** A failure in words that are safe to show: a foreign error's text may hold personal data, so only its class is told. */
export function failure(error: unknown): OperationResult {
  const told =
    error instanceof PersonalDataError
      ? { code: error.code, message: error.message, retryable: error.retryable }
      : { code: 'HANDLER_FAILED', message: `The service's handler threw ${nameOf(error)}.`, retryable: true };
  return { counts: {}, retained: [], residuals: [], error: told };
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.constructor.name : typeof error;
}
