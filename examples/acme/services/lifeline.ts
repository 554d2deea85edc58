/** What a service tells the process that started it. */
export interface ServiceReport {
  /** People whose data is made so far. */
  readonly seeded: number;
}

/**
 * Ends this process when the one that started it is gone, also when that one was killed: then the channel between the
 * two closes. Does nothing for a service that somebody started by hand.
 */
export function endWithParent(): void {
  if (process.channel === undefined) return;
  process.on('disconnect', () => process.exit(0));
}

/** Tells the process that started this one how far the making of the data is. */
export function reportSeeding(seeded: number): void {
  const report: ServiceReport = { seeded };
  process.send?.(report);
}
