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
    ...mergeEffects(before.effects, now.effects),
    ...(before.replaced === undefined && now.replaced === undefined
      ? {}
      : { replaced: [...(before.replaced ?? []), ...(now.replaced ?? [])] }),
  };
}

/** What was done twice adds up; what is kept or only marked is what is so now: the later one saw all of the same rows. */
function mergeEffects(
  before: Evidence['effects'] = {},
  now: Evidence['effects'] = {},
): Pick<Evidence, 'effects'> {
  const effects = { ...before };
  for (const [collection, effect] of Object.entries(now)) {
    const former = before[collection];
    effects[collection] = {
      ...effect,
      found: effect.found + (former?.found ?? 0),
      erased: effect.erased + (former?.erased ?? 0),
      masked: effect.masked + (former?.masked ?? 0),
    };
  }
  return Object.keys(effects).length === 0 ? {} : { effects };
}

/** What two answers about the same work tell: of each collection the one that counts more. What is kept is what `now` says. */
export function largerEvidence(now: Evidence, other: Evidence): Evidence {
  const counts = { ...now.counts };
  const effects = { ...now.effects };
  for (const [collection, count] of Object.entries(other.counts)) {
    if (count <= (counts[collection] ?? 0)) continue;
    counts[collection] = count;
    const effect = other.effects?.[collection];
    if (effect !== undefined) effects[collection] = effect;
  }
  const residuals = new Map([...other.residuals, ...now.residuals].map((one) => [JSON.stringify(one), one]));
  return {
    ...now,
    matched: now.matched || other.matched,
    counts,
    residuals: [...residuals.values()],
    notes: [...new Set([...now.notes, ...other.notes])],
    ...(Object.keys(effects).length === 0 ? {} : { effects }),
  };
}
