/** One thing that `habeas doctor` looked at. */
export interface Diagnosis {
  readonly what: string;
  readonly verdict: 'ok' | 'warn' | 'fail';
  /** What was found. */
  readonly finding: string;
  /** What to do next; only where something is not as it should be. */
  readonly next?: string | undefined;
}

/** A thing to look at. It may throw; then the error's text is the finding. */
export interface Examination {
  readonly what: string;
  readonly look: () => Promise<Omit<Diagnosis, 'what'> | readonly Diagnosis[]>;
}
