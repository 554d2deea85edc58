/** Shares of a term after which somebody is told; 100: it is over, and the answer late. */
export const ALERT_LEVELS = [50, 80, 95, 100] as const;

export type AlertLevel = (typeof ALERT_LEVELS)[number];

/** Which of the two terms of a request. */
export type TermName = 'answer' | 'acknowledgement';

/** A term that runs. */
export interface RunningTerm {
  readonly term: TermName;
  /** When the request was received. */
  readonly from: Date;
  /** The last moment that is in time. */
  readonly until: Date;
}

/** The highest level that a term has reached; undefined: not half of it has passed. */
export function levelReached({ from, until }: RunningTerm, now: Date): AlertLevel | undefined {
  return ALERT_LEVELS.findLast((level) => timeOf(level, from, until) <= now.getTime());
}

/** When the next level of any of these terms is reached; null: none is left. */
export function nextAlertAt(terms: readonly RunningTerm[], now: Date): Date | null {
  const times = terms
    .flatMap(({ from, until }) => ALERT_LEVELS.map((level) => timeOf(level, from, until)))
    .filter((time) => time > now.getTime());
  return times.length === 0 ? null : new Date(Math.min(...times));
}

/** The terms of a request that still run; none while its clock stands still. */
export function runningTerms(request: {
  readonly receivedAt: Date;
  readonly dueAt: Date;
  readonly acknowledgeBy: Date | null;
  readonly acknowledgedAt: Date | null;
  readonly clockStoppedAt: Date | null;
}): readonly RunningTerm[] {
  const { receivedAt: from, dueAt, acknowledgeBy, acknowledgedAt, clockStoppedAt } = request;
  const answer = clockStoppedAt === null ? [{ term: 'answer' as const, from, until: dueAt }] : [];
  return acknowledgeBy === null || acknowledgedAt !== null
    ? answer
    : [...answer, { term: 'acknowledgement', from, until: acknowledgeBy }];
}

function timeOf(level: AlertLevel, from: Date, until: Date): number {
  // Late is the first moment after the last one that is in time.
  if (level === 100) return until.getTime() + 1;
  return from.getTime() + Math.ceil(((until.getTime() - from.getTime()) * level) / 100);
}
