import type { ConformanceKit } from './conformance-kit.ts';

/** One thing that the contract asks of a service. */
export interface ConformanceCase {
  /** Stable; names the case in tables and in questions. */
  readonly name: string;
  /** The rule in words, as the contract has it. */
  readonly rule: string;
  /** Whether the test person's data is gone afterwards. */
  readonly erases: boolean;
  /** Ends well, or throws a Violation, a Skip, or what a call failed with. */
  run(kit: ConformanceKit): Promise<void>;
}

/** The service breaks the rule. The message says what was expected and what came. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** The case does not apply to this service. The message says why. */
export class Skip extends Error {
  override readonly name = 'Skip';
}

/** Throws a Violation unless it holds. */
export function must(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Violation(otherwise);
}
