import type { Evidence } from '../connectors/index.ts';

/** What two erasures or changes of one system brought together: counts add up, and the later one says what is kept now. */
export function mergeEvidence(before: Evidence, now: Evidence): Evidence {
  const counts = new Map(Object.entries(before.counts));
  for (const [name, count] of Object.entries(now.counts)) counts.set(name, (counts.get(name) ?? 0) + count);
  const residuals = new Map(
    [...before.residuals, ...now.residuals].map((residual) => [JSON.stringify(residual), residual]),
  );
  return {
    matched: before.matched || now.matched,
    counts: Object.fromEntries(counts),
    retained: now.retained,
    residuals: [...residuals.values()],
    notes: [...new Set([...before.notes, ...now.notes, 'done again, because the first time did not hold'])],
    ...(before.replaced === undefined && now.replaced === undefined
      ? {}
      : { replaced: [...(before.replaced ?? []), ...(now.replaced ?? [])] }),
  };
}
