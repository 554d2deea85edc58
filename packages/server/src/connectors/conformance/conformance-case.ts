/** One thing that a contract asks for; `Kit` is what the case asks with. */
export interface ConformanceCase<Kit> {
  /** Stable; names the case in tables and in questions. */
  readonly name: string;
  /** The rule in words, as the contract has it. */
  readonly rule: string;
  /** Whether the test person's data is gone afterwards. */
  readonly erases: boolean;
  /** Ends well, or throws a Violation, a Skip, or what a call failed with. */
  run(kit: Kit): Promise<void>;
}

export interface ConformanceResult {
  /** Stable name of the case. */
  readonly name: string;
  /** What the contract asks for. */
  readonly rule: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** What was expected and what came, or why the case does not apply; empty when it passed. No personal data. */
  readonly detail: string;
  readonly milliseconds: number;
}
