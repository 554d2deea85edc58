import type { Selectable } from 'kysely';
import { type Database, HabeasError } from '../foundation/index.ts';
import type { RequestRef } from './identity-vault.ts';
import type { Event, Neighbourhood, RequestSnapshot, TaskSnapshot } from './step.ts';
import type { RequestTables } from './tables.ts';

export type RequestRow = Selectable<RequestTables['requests']>;
export type TaskRow = Selectable<RequestTables['tasks']>;

export interface EventTarget extends RequestRef {
  /** Of a task event. */
  readonly taskId?: string | undefined;
}

export interface LoadedNeighbourhood extends Neighbourhood {
  readonly requestRow: RequestRow;
  readonly taskRow: TaskRow | undefined;
}

const TASK_COLUMNS = [
  'id',
  'key',
  'kind',
  'state',
  'remaining',
  'attempt',
  'failures',
  'generation',
] as const;

/**
 * Locks the request and reads the part of it that the event can touch. Every change of a request or of its tasks goes
 * through this lock, so changes of one request take turns and those of different requests never wait for each other.
 * The lock comes first and alone: a statement that waited for a lock would otherwise see the other rows as they were before.
 */
export async function loadNeighbourhood(
  transaction: Database,
  target: EventTarget,
  event: Event,
): Promise<LoadedNeighbourhood> {
  const tables = transaction.withTables<RequestTables>();
  const requestRow = await tables
    .selectFrom('requests')
    .selectAll()
    .where('organization_id', '=', target.organizationId)
    .where('id', '=', target.requestId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (requestRow === undefined)
    throw new HabeasError('NOT_FOUND', `There is no request ${target.requestId}.`);
  const { taskId } = target;
  const taskRow =
    taskId === undefined
      ? undefined
      : await tables
          .selectFrom('tasks')
          .selectAll()
          .where('organization_id', '=', target.organizationId)
          .where('id', '=', taskId)
          .where('request_id', '=', target.requestId)
          .executeTakeFirst();
  if (taskId !== undefined && taskRow === undefined)
    throw new HabeasError('NOT_FOUND', `There is no task ${taskId}.`);
  return {
    requestRow,
    taskRow,
    request: requestSnapshot(requestRow),
    task: taskRow,
    others: await loadOthers(transaction, target, event),
    companions:
      event.type === 'task-retried' && taskRow?.kind === 'verify'
        ? await loadCompanions(transaction, taskRow)
        : [],
  };
}

async function loadOthers(
  transaction: Database,
  target: EventTarget,
  event: Event,
): Promise<readonly TaskSnapshot[]> {
  const tasks = transaction
    .withTables<RequestTables>()
    .selectFrom('tasks as t')
    .select(TASK_COLUMNS.map((column) => `t.${column}` as const))
    .where('t.organization_id', '=', target.organizationId)
    .where('t.request_id', '=', target.requestId)
    .orderBy('t.position');
  switch (event.type) {
    case 'planned':
    case 'wait-over':
      return tasks.where('t.remaining', '=', 0).where('t.state', '=', 'pending').execute();
    case 'released':
      return tasks.where('t.state', '=', 'ready').execute();
    case 'rejected':
    case 'cancelled':
      return tasks.where('t.state', 'not in', ['succeeded', 'skipped', 'cancelled']).execute();
    case 'task-succeeded':
    case 'task-skipped':
    case 'gate-opened':
      return tasks
        .innerJoin('task_dependencies as d', (join) =>
          join.onRef('d.task_id', '=', 't.id').onRef('d.organization_id', '=', 't.organization_id'),
        )
        .where('d.depends_on', '=', target.taskId ?? '')
        .where('d.organization_id', '=', target.organizationId)
        .execute();
    default:
      return [];
  }
}

async function loadCompanions(transaction: Database, verify: TaskRow): Promise<readonly TaskSnapshot[]> {
  return transaction
    .withTables<RequestTables>()
    .selectFrom('tasks')
    .select(TASK_COLUMNS)
    .where('organization_id', '=', verify.organization_id)
    .where('request_id', '=', verify.request_id)
    .where('system', '=', verify.system)
    .where('kind', 'in', ['locate', 'erase'])
    .orderBy('position')
    .execute();
}

export function requestSnapshot(row: RequestRow): RequestSnapshot {
  return {
    id: row.id,
    state: row.state,
    dryRun: row.dry_run,
    heldFrom: row.held_from,
    openTasks: row.open_tasks,
    blockedTasks: row.blocked_tasks,
    destructionStarted: row.destruction_started,
    matched: row.matched,
  };
}
