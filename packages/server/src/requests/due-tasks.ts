import { sql } from 'kysely';
import type { Database } from '../foundation/index.ts';

/** Wakes workers the moment a change is committed; the payload is a {@link DueNotice} or a {@link PauseNotice}. */
export const DUE_CHANNEL = 'habeas_due';

export interface TaskRef {
  readonly organizationId: string;
  readonly requestId: string;
  readonly taskId: string;
}

export interface DueTask extends TaskRef {
  /** null: a package. */
  readonly system: string | null;
  readonly at: Date;
}

/** Something is due at a system, now or in a while. */
export interface DueNotice {
  readonly organization: string;
  readonly system: string | null;
  readonly milliseconds: number;
  /** The worker that says so; it knows already. */
  readonly from: string;
}

/** Something was paused or resumed: read the pauses anew. */
export interface PauseNotice {
  readonly pauses: true;
}

/**
 * The queue of a system is its rows of `tasks`: what is ready, or waits and has to be asked after, and whose time has come. Nothing
 * else has to agree with them, be filled again after a crash, or be cleaned. Notices only save waiting: all that is due is also
 * found by looking.
 */
export async function announce(
  transaction: Database,
  due: readonly DueTask[],
  options: { readonly now: Date; readonly worker: string },
): Promise<void> {
  if (due.length === 0) return;
  const notices = due.map(
    ({ organizationId, system, at }): DueNotice => ({
      organization: organizationId,
      system,
      milliseconds: Math.max(0, at.getTime() - options.now.getTime()),
      from: options.worker,
    }),
  );
  const payloads = [...new Set(notices.map((notice) => JSON.stringify(notice)))];
  await sql`select pg_notify(${DUE_CHANNEL}, payload) from unnest(${payloads}::text[]) as payload`.execute(
    transaction,
  );
}

/** Processes that look at the same time take different ones of this many times what they need, mostly. */
const CHOICE = 4;

/**
 * Up to `limit` tasks of a system whose time has come. They are not reserved: whoever takes one claims it by its event, and a
 * second claim is refused.
 */
export async function dueTasks(
  db: Database,
  options: {
    readonly organizationId: string;
    readonly system: string | null;
    readonly limit: number;
    readonly now: Date;
    /** Ids of tasks that this process has in hand. */
    readonly except: readonly string[];
  },
): Promise<readonly TaskRef[]> {
  const { organizationId, system, limit, now } = options;
  const { rows } = await sql<{ readonly id: string; readonly request_id: string }>`
    select t.id, t.request_id
    from tasks t
    join requests r on r.organization_id = t.organization_id and r.id = t.request_id
    where t.organization_id = ${organizationId} and coalesce(t.system, '') = ${system ?? ''}
      and t.state in ('ready', 'waiting') and t.kind <> 'ticket'
      and coalesce(t.next_attempt_at, '-infinity') <= ${now}
      and t.id <> all (${options.except}::text[])
      and r.state in ('running', 'blocked')
    order by coalesce(t.next_attempt_at, '-infinity'), t.id
    limit ${limit * CHOICE}`.execute(db);
  const first = rows.length > limit ? Math.floor(Math.random() * (rows.length - limit + 1)) : 0;
  return rows
    .slice(first, first + limit)
    .map((row) => ({ organizationId, requestId: row.request_id, taskId: row.id }));
}

/**
 * Systems at which something is due; null stands for packages. Jumps from system to system in the index (a loose index scan), so
 * the cost grows with the systems and not with what is due. Tasks of requests on hold count too: their pump finds nothing.
 */
export async function systemsDue(
  db: Database,
  options: { readonly organizationId: string; readonly now: Date },
): Promise<readonly (string | null)[]> {
  const { organizationId, now } = options;
  const { rows } = await sql<{ readonly system: string }>`
    with recursive systems (system) as (
      (select coalesce(system, '') from tasks
       where organization_id = ${organizationId} and state in ('ready', 'waiting') and kind <> 'ticket'
       order by coalesce(system, '') limit 1)
      union all
      select (
        select coalesce(t.system, '') from tasks t
        where t.organization_id = ${organizationId} and t.state in ('ready', 'waiting') and t.kind <> 'ticket'
          and coalesce(t.system, '') > systems.system
        order by coalesce(t.system, '') limit 1)
      from systems where systems.system is not null
    )
    select system from systems
    where system is not null and exists (
      select from tasks t
      where t.organization_id = ${organizationId} and t.state in ('ready', 'waiting') and t.kind <> 'ticket'
        and coalesce(t.system, '') = systems.system and coalesce(t.next_attempt_at, '-infinity') <= ${now})`.execute(
    db,
  );
  return rows.map((row) => (row.system === '' ? null : row.system));
}
