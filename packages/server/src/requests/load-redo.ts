import { sql } from 'kysely';
import type { Database } from '../foundation/index.ts';
import type { RedoneTask } from './event.ts';
import { isEndedTask } from './snapshot.ts';
import { type SnapshotRow, taskSnapshot } from './task-snapshot.ts';

/**
 * What is done again when a verification failed: its system's `locate` and the task that acts (here `erase`), and what is read after
 * it. What was only put in order behind it, in other systems, is done and stays so.
 *
 *     locate:a ─▶ erase:a ─▶ verify:a ─▶ confirm:a
 *                    └─▶ gate:erased ─▶ confirm:a, confirm:b, …
 */
export async function loadRedo(transaction: Database, verify: VerifyRow): Promise<readonly RedoneTask[]> {
  const { rows } = await sql<SnapshotRow & { readonly depends_on: readonly Dependency[] | null }>`
    with recursive later (id) as (
      select t.id from tasks t
      where t.organization_id = ${verify.organization_id} and t.request_id = ${verify.request_id}
        and t.system = ${verify.system} and t.kind in ('erase', 'rectify', 'restrict', 'object')
      union
      select d.task_id from task_dependencies d
      join later on later.id = d.depends_on
      join tasks t on t.organization_id = d.organization_id and t.id = d.task_id
      where d.organization_id = ${verify.organization_id} and t.kind in ('gate', 'verify', 'register')
    )
    select t.id, t.key, t.kind, t.system, t.state, t.remaining, t.attempt, t.failures, t.error_code, t.generation,
      t.next_attempt_at, t.called_back_at, t.reports_from,
      (select jsonb_agg(jsonb_build_object('id', p.id, 'state', p.state))
       from task_dependencies d
       join tasks p on p.organization_id = d.organization_id and p.id = d.depends_on
       where d.organization_id = t.organization_id and d.request_id = t.request_id and d.task_id = t.id) as depends_on
    from tasks t
    where t.organization_id = ${verify.organization_id} and t.request_id = ${verify.request_id}
      and (t.id in (select id from later) or (t.system = ${verify.system} and t.kind = 'locate'))
    order by t.position`.execute(transaction);
  return rows.map(({ depends_on: dependsOn, ...row }) => ({
    ...taskSnapshot(row),
    dependsOn: (dependsOn ?? []).map(({ id, state }) => ({ id, ended: isEndedTask(state) })),
  }));
}

/** The verification, by its row. */
interface VerifyRow {
  readonly organization_id: string;
  readonly request_id: string;
  readonly system: string | null;
}

interface Dependency {
  readonly id: string;
  readonly state: SnapshotRow['state'];
}
