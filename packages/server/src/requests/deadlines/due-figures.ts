import { sql } from 'kysely';
import type { Database } from '../../foundation/index.ts';

/** How many open requests of one kind have used how much of their term. */
export interface DueFigure {
  readonly right: string;
  readonly regime: string;
  /** `early`: less than half; `half`, `80%`, `95%`: at least that much; `late`: it is over; `stopped`: its clock stands still. */
  readonly stage: 'early' | 'half' | '80%' | '95%' | 'late' | 'stopped';
  readonly count: number;
}

export interface DueFigures {
  readonly open: readonly DueFigure[];
  /** Requests whose receipt was not confirmed in time. */
  readonly unacknowledged: number;
  /** The earliest end of a term of an open request whose clock runs. */
  readonly nextDueAt: Date | null;
  /** Since when the clock of an open request stands still that stands still for the longest time. */
  readonly stoppedSince: Date | null;
}

/** Looks at the requests that are open, however many have ended. */
export async function dueFigures(db: Database, organizationId: string, now: Date): Promise<DueFigures> {
  const { rows } = await sql<{
    right_kind: string;
    regime: string | null;
    stage: DueFigure['stage'];
    count: number;
  }>`
    select right_kind, regime, stage, count(*)::int as count
    from (
      select right_kind, regime,
        case
          when clock_stopped_at is not null then 'stopped'
          when ${now}::timestamptz > due_at then 'late'
          when ${now}::timestamptz >= received_at + (due_at - received_at) * 0.95 then '95%'
          when ${now}::timestamptz >= received_at + (due_at - received_at) * 0.8 then '80%'
          when ${now}::timestamptz >= received_at + (due_at - received_at) * 0.5 then 'half'
          else 'early'
        end as stage
      from requests
      where organization_id = ${organizationId} and completed_at is null
    ) as open
    group by right_kind, regime, stage
    order by right_kind, regime, stage`.execute(db);
  const { rows: ends } = await sql<{
    next_due_at: Date | null;
    stopped_since: Date | null;
    unacknowledged: number;
  }>`
    select min(due_at) filter (where clock_stopped_at is null) as next_due_at,
      min(clock_stopped_at) as stopped_since,
      (count(*) filter (where acknowledged_at is null and acknowledge_by < ${now}::timestamptz))::int as unacknowledged
    from requests
    where organization_id = ${organizationId} and completed_at is null`.execute(db);
  const [end] = ends;
  return {
    open: rows.map(({ right_kind: right, regime, stage, count }) => ({
      right,
      regime: regime ?? 'unknown',
      stage,
      count,
    })),
    unacknowledged: end?.unacknowledged ?? 0,
    nextDueAt: end?.next_due_at ?? null,
    stoppedSince: end?.stopped_since ?? null,
  };
}
