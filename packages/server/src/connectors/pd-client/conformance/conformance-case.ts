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
