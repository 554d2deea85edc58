import { type Selectable, sql } from 'kysely';
import { type Database, kept, together } from '../foundation/index.ts';
import { type Event, mayRedo, type Neighbourhood } from './event.ts';
import type { RequestRef } from './identity-vault.ts';
import { loadRedo } from './load-redo.ts';
import { changesSystems } from './rights.ts';
import type { RequestSnapshot, TaskSnapshot } from './snapshot.ts';
import { REQUEST_COLUMNS, type RequestTables, TASK_ROW_COLUMNS } from './tables.ts';
import { SNAPSHOT_COLUMNS, type SnapshotRow, taskSnapshot } from './task-snapshot.ts';

export type RequestRow = Omit<
  Selectable<RequestTables['requests']>,
  'plan' | 'receipt' | 'deadline_rules' | 'next_alert_at' | 'turn_at'
>;
export type TaskRow = Selectable<RequestTables['tasks']>;

export interface EventTarget extends RequestRef {
  /** Of a task event. */
  readonly taskId?: string | undefined;
}

export interface TargetedEvent {
  readonly target: EventTarget;
  readonly event: Event;
}

export interface LoadedNeighbourhood extends Neighbourhood {
  readonly requestRow: RequestRow;
  readonly taskRow: TaskRow | undefined;
  /** What depends on the gates that wait for the task alone. */
  readonly behindGates: Dependents;
}

/** `organization/task` → what depends on the task, in the order of the plan. */
export type Dependents = ReadonlyMap<string, readonly TaskSnapshot[]>;

/**
 * Locks the requests and reads the part of each that its event can touch; undefined where the request or the task does not
 * exist. At most one event per request. Every change of a request or of its tasks goes through this lock, so changes of one
 * request take turns. Locks are taken in the order of ids, so that two processes cannot wait for each other; they come first
 * and alone, because a statement that waited for a lock would otherwise see the other rows as they were before.
 */
export async function loadNeighbourhoods(
  transaction: Database,
  events: readonly TargetedEvent[],
): Promise<readonly (LoadedNeighbourhood | undefined)[]> {
  const tables = transaction.withTables<RequestTables>();
  const requestRows = await tables
    .selectFrom('requests')
    .modifyFront(kept)
    .select(REQUEST_COLUMNS)
    .where(
      inPairs(
        'organization_id',
        'id',
        events.map(({ target }) => [target.organizationId, target.requestId]),
      ),
    )
    .orderBy('organization_id')
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
  const taskPairs = events.flatMap(({ target }) =>
    target.taskId === undefined ? [] : [[target.organizationId, target.taskId] as const],
  );
  const ending = events.flatMap(({ target, event }) =>
    endsTask(event) && target.taskId !== undefined ? [[target.organizationId, target.taskId] as const] : [],
  );
  const [taskRows, dependents] = await together(transaction, (pipelined) => [
    loadTasks(pipelined, taskPairs),
    loadDependents(pipelined, ending),
  ]);
  const requestsById = new Map(requestRows.map((row) => [`${row.organization_id}/${row.id}`, row]));
  const tasksById = new Map(taskRows.map((row) => [`${row.organization_id}/${row.id}`, row]));

  const loaded: (LoadedNeighbourhood | undefined)[] = [];
  for (const { target, event } of events) {
    const requestRow = requestsById.get(`${target.organizationId}/${target.requestId}`);
    const taskRow =
      target.taskId === undefined ? undefined : tasksById.get(`${target.organizationId}/${target.taskId}`);
    const missing =
      requestRow === undefined || (target.taskId !== undefined && taskRow?.request_id !== target.requestId);
    if (missing) {
      loaded.push(undefined);
      continue;
    }
    loaded.push({
      requestRow,
      taskRow,
      request: requestSnapshot(requestRow),
      task: taskRow === undefined ? undefined : taskSnapshot(taskRow),
      others: endsTask(event)
        ? (dependents.get(`${target.organizationId}/${target.taskId}`) ?? [])
        : await loadOthers(transaction, target, event),
      behindGates: dependents,
      redo: taskRow?.kind === 'verify' && mayRedo(event) ? await loadRedo(transaction, taskRow) : [],
    });
  }
  return loaded;
}

async function loadTasks(
  transaction: Database,
  pairs: readonly (readonly [organizationId: string, taskId: string])[],
): Promise<readonly TaskRow[]> {
  if (pairs.length === 0) return [];
  return transaction
    .withTables<RequestTables>()
    .selectFrom('tasks')
    .modifyFront(kept)
    .select(TASK_ROW_COLUMNS)
    .where(inPairs('organization_id', 'id', pairs))
    .execute();
}

/** A row-wise `(a, b) in (…)`: one parameter per column, whatever the number of pairs. */
export function inPairs(first: string, second: string, pairs: readonly (readonly [string, string])[]) {
  const left = pairs.map(([value]) => value);
  const right = pairs.map(([, value]) => value);
  return sql<boolean>`(${sql.ref(first)}, ${sql.ref(second)}) in (select * from unnest(${left}::text[], ${right}::text[]))`;
}

function endsTask(event: Event): boolean {
  if (event.type === 'task-reported') return event.status === 'completed';
  return event.type === 'task-succeeded' || event.type === 'task-skipped' || event.type === 'gate-opened';
}

/** What depends on the tasks, and on the gates among it that wait for nothing else. */
export async function loadDependents(
  transaction: Database,
  ending: readonly (readonly [organizationId: string, taskId: string])[],
): Promise<Dependents> {
  if (ending.length === 0) return new Map();
  // Left to itself, PostgreSQL reads every task of the organization as long as it has not looked at how many there are.
  const dependents = (of: string) => sql`
    cross join lateral (
      select d.organization_id, d.depends_on, d.task_id from task_dependencies d
      where d.organization_id = ${sql.ref(`${of}.organization_id`)} and d.depends_on = ${sql.ref(`${of}.id`)}
      offset 0) d
    cross join lateral (
      select ${sql.join(['position', ...SNAPSHOT_COLUMNS].map((column) => sql.ref(column)))} from tasks
      where organization_id = d.organization_id and id = d.task_id
      offset 0) t`;
  const { rows } = await sql<SnapshotRow & { organization_id: string; depends_on: string }>`${kept}
    with first as materialized (
      select d.organization_id, d.depends_on, t.*
      from unnest(${ending.map(([id]) => id)}::text[], ${ending.map(([, id]) => id)}::text[]) as ended (organization_id, id)
      ${dependents('ended')})
    select * from first
    union all
    select d.organization_id, d.depends_on, t.*
    from (select * from first where kind = 'gate' and remaining = 1) gates
    ${dependents('gates')}
    order by position`.execute(transaction);
  const known = new Map<string, TaskSnapshot[]>();
  for (const { organization_id, depends_on, ...row } of rows) {
    const key = `${organization_id}/${depends_on}`;
    const task = taskSnapshot(row);
    const others = known.get(key);
    if (others === undefined) known.set(key, [task]);
    else others.push(task);
  }
  return known;
}

async function loadOthers(
  transaction: Database,
  target: EventTarget,
  event: Event,
): Promise<readonly TaskSnapshot[]> {
  const tasks = transaction
    .withTables<RequestTables>()
    .selectFrom('tasks')
    .select(SNAPSHOT_COLUMNS)
    .where('organization_id', '=', target.organizationId)
    .where('request_id', '=', target.requestId)
    .orderBy('position');
  switch (event.type) {
    case 'planned':
    case 'wait-over':
      return snapshots(tasks.where('remaining', '=', 0).where('state', '=', 'pending'));
    case 'approved':
      return waitingApproval(transaction, target);
    case 'released':
    case 'legal-hold-lifted':
      return snapshots(tasks.where('state', '=', 'ready'));
    case 'rejected':
    case 'cancelled':
      return snapshots(tasks.where('state', 'not in', ['succeeded', 'skipped', 'cancelled']));
    default:
      return [];
  }
}

/** The task that waits for people to approve, and what depends on it; none where the request waits before it starts. */
async function waitingApproval(
  transaction: Database,
  { organizationId, requestId }: RequestRef,
): Promise<readonly TaskSnapshot[]> {
  const { rows } = await sql<SnapshotRow>`
    select ${sql.join(SNAPSHOT_COLUMNS.map((column) => sql.ref(`t.${column}`)))}
    from tasks a
    join tasks t on t.organization_id = a.organization_id and t.request_id = a.request_id
      and (t.id = a.id or exists (
        select from task_dependencies d
        where d.organization_id = t.organization_id and d.task_id = t.id and d.depends_on = a.id))
    where a.organization_id = ${organizationId} and a.request_id = ${requestId}
      and a.kind = 'approval' and a.state = 'waiting'
    order by t.position`.execute(transaction);
  return rows.map(taskSnapshot);
}

async function snapshots(query: { execute(): Promise<SnapshotRow[]> }): Promise<readonly TaskSnapshot[]> {
  return (await query.execute()).map(taskSnapshot);
}

export function requestSnapshot(row: RequestRow): RequestSnapshot {
  return {
    id: row.id,
    state: row.state,
    changesSystems: changesSystems({ right: row.right_kind, dryRun: row.dry_run }),
    heldFrom: row.held_from,
    legalHolds: row.legal_holds,
    approval: row.approvals_needed === null ? null : { needed: row.approvals_needed, given: row.approvals },
    openTasks: row.open_tasks,
    blockedTasks: row.blocked_tasks,
    destructionStarted: row.destruction_started,
    matched: row.matched,
  };
}
