import { HabeasError } from '../../foundation/index.ts';
import type { ConformanceCase, ConformanceResult } from './conformance-case.ts';
import { Skip, Violation } from './violation.ts';

/** The result of a case that was not run. */
export function skipped<Kit>({ name, rule }: ConformanceCase<Kit>, detail: string): ConformanceResult {
  return { name, rule, outcome: 'skipped', detail, milliseconds: 0 };
}

/**
 * Runs one case. What is asked failing fails the case; only ADDRESS_NOT_APPROVED, the signal's reason and errors that nobody expected
 * are thrown.
 */
export async function runCase<Kit>(
  one: ConformanceCase<Kit>,
  kit: Kit,
  signal: AbortSignal,
): Promise<ConformanceResult> {
  const { name, rule } = one;
  const start = performance.now();
  const result = (outcome: ConformanceResult['outcome'], detail: string): ConformanceResult => {
    return { name, rule, outcome, detail, milliseconds: Math.round(performance.now() - start) };
  };
  try {
    await one.run(kit);
    return result('passed', '');
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Skip) return result('skipped', error.message);
    if (error instanceof Violation) return result('failed', error.message);
    if (error instanceof HabeasError && error.code === 'ADDRESS_NOT_APPROVED') throw error;
    if (error instanceof HabeasError) return result('failed', error.message);
    throw error;
  }
}
