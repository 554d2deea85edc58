import type { Alert } from './watch-alerts.ts';

/** An alert that was raised before. */
export interface KnownAlert extends Pick<Alert, 'kind' | 'subject'> {
  /** Since when what it told of is gone; null: it is there. */
  readonly goneAt: Date | null;
}

export interface Appearances {
  /** To be told. */
  readonly appeared: readonly Alert[];
  /** There again so soon that it counts as never gone. */
  readonly returned: readonly KnownAlert[];
  readonly gone: readonly KnownAlert[];
}

/** Shorter, and what comes back is the same appearance: a service that restarts must not tell its team anything. */
export const APPEARS_AGAIN_MILLISECONDS = 24 * 3_600_000;

/** Compares what is there now with what was told: each thing is told once for each time that it appears. */
export function appearancesOf(
  known: readonly KnownAlert[],
  present: readonly Alert[],
  now: Date,
): Appearances {
  const before = new Map(known.map((alert) => [keyOf(alert), alert]));
  const there = new Set(present.map(keyOf));
  const wasGoneFor = (alert: KnownAlert) =>
    alert.goneAt === null ? undefined : now.getTime() - alert.goneAt.getTime();
  const isNew = (alert: KnownAlert | undefined) =>
    alert === undefined || (wasGoneFor(alert) ?? 0) >= APPEARS_AGAIN_MILLISECONDS;
  return {
    appeared: present.filter((alert) => isNew(before.get(keyOf(alert)))),
    returned: known.filter((alert) => there.has(keyOf(alert)) && alert.goneAt !== null && !isNew(alert)),
    gone: known.filter((alert) => !there.has(keyOf(alert)) && alert.goneAt === null),
  };
}

function keyOf({ kind, subject }: Pick<Alert, 'kind' | 'subject'>): string {
  return `${kind} ${subject}`;
}
