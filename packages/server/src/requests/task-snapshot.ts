import type { Selectable } from 'kysely';
import type { TaskSnapshot } from './snapshot.ts';
import type { RequestTables } from './tables.ts';

type Task = Selectable<RequestTables['tasks']>;

/** Columns that {@link taskSnapshot} needs. */
export const SNAPSHOT_COLUMNS = [
  'id',
  'key',
  'kind',
  'system',
  'team',
  'state',
  'remaining',
  'attempt',
  'failures',
  'error_code',
  'generation',
  'next_attempt_at',
  'called_back_at',
  'reports_from',
] as const satisfies readonly (keyof Task)[];

export type SnapshotRow = Pick<Task, (typeof SNAPSHOT_COLUMNS)[number]>;

export function taskSnapshot(row: SnapshotRow): TaskSnapshot {
  return {
    id: row.id,
    key: row.key,
    kind: row.kind,
    system: row.system,
    team: row.team,
    state: row.state,
    remaining: row.remaining,
    attempt: row.attempt,
    failures: row.failures,
    errorCode: row.error_code,
    generation: row.generation,
    nextAttemptAt: row.next_attempt_at,
    calledBackAt: row.called_back_at,
    reportsFrom: row.reports_from,
  };
}
