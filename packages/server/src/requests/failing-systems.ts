import type { api } from '@habeas/contract';
import { sql } from 'kysely';
import type { Database } from '../foundation/index.ts';
import type { Caller } from './caller.ts';

/** Most of them; an organization in which more fail at once has one trouble, not so many. */
const MOST = 100;

interface Row {
  readonly system: string;
  readonly tasks: number;
  readonly blocked: number;
  readonly requests: number;
  readonly code: string | null;
  readonly message: string | null;
  readonly next: Date | null;
}

/** Systems with tasks that failed and are not done since, those with the most first. The cost grows with these tasks, not with all. */
export async function failingSystems(
  db: Database,
  { organizationId }: Caller,
): Promise<readonly api.FailingSystem[]> {
  const { rows } = await sql<Row>`
    select system, count(*)::int as tasks, (count(*) filter (where state = 'blocked'))::int as blocked,
      count(distinct request_id)::int as requests,
      (array_agg(error_code order by failures desc, id))[1] as code,
      (array_agg(error_message order by failures desc, id))[1] as message,
      min(next_attempt_at) filter (where state <> 'blocked') as next
    from tasks
    where organization_id = ${organizationId} and failures > 0 and state in ('ready', 'running', 'waiting', 'blocked')
      and system is not null
    group by system order by count(*) desc, system limit ${MOST}`.execute(db);
  return rows.map(({ system, tasks, blocked, requests, code, message, next }) => ({
    system,
    tasks,
    blocked,
    requests,
    error: { code: code ?? 'INTERNAL', message: message ?? '' },
    next_attempt_at: next?.toISOString() ?? null,
  }));
}
