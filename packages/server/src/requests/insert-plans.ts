import { sql } from 'kysely';
import type { PlannableSystem } from '../connectors/index.ts';
import { type Database, HabeasError, kept, newId, together } from '../foundation/index.ts';
import type { RequestRef } from './identity-vault.ts';
import type { Plan } from './plan.ts';
import type { TaskSnapshot } from './snapshot.ts';
import type { RequestTables } from './tables.ts';

/** A plan with the systems that it was made of. */
export interface MadePlan {
  readonly plan: Plan;
  readonly systems: readonly PlannableSystem[];
}

export interface Planned {
  readonly ref: RequestRef;
  readonly made: MadePlan;
}

export interface InsertedPlan {
  readonly ref: RequestRef;
  readonly plan: Plan;
  /** Tasks that wait for nothing. */
  readonly roots: readonly TaskSnapshot[];
  readonly waitsUntil: Date | null;
}

/** Stores plans, their tasks and the datasets that they were made of, in a few statements, however many plans. */
export async function insertPlans(
  transaction: Database,
  planned: readonly Planned[],
  now: Date,
  waitsUntil: (plan: Plan) => Date | null,
): Promise<readonly InsertedPlan[]> {
  if (planned.length === 0) return [];
  const rows = planned.map(({ ref, made }) => ({
    ref,
    plan: made.plan,
    waitsUntil: waitsUntil(made.plan),
    ...planRows(ref, made.plan, now),
  }));
  await together(transaction, (pipelined) => {
    const tables = pipelined.withTables<RequestTables>();
    return [
      insertInputs(pipelined, planned, now),
      updateRequests(pipelined, rows),
      ...chunksOf(rows.flatMap(({ tasks }) => tasks)).map((chunk) =>
        tables.insertInto('tasks').values(chunk).execute(),
      ),
      ...chunksOf(rows.flatMap(({ edges }) => edges)).map((chunk) =>
        tables.insertInto('task_dependencies').values(chunk).execute(),
      ),
    ];
  });
  return rows.map(({ ref, plan, waitsUntil, tasks }) => ({
    ref,
    plan,
    waitsUntil,
    roots: tasks.filter((task) => task.remaining === 0).map(newTask),
  }));
}

async function insertInputs(transaction: Database, planned: readonly Planned[], now: Date): Promise<void> {
  const inputs = new Map(
    planned.flatMap(({ ref, made }) =>
      made.systems.flatMap((system) =>
        system.inputs === undefined
          ? []
          : [
              [
                `${ref.organizationId}/${system.inputs.hash}`,
                { organization_id: ref.organizationId, ...system.inputs },
              ] as const,
            ],
      ),
    ),
  );
  if (inputs.size === 0) return;
  await transaction
    .withTables<RequestTables>()
    .insertInto('plan_inputs')
    .values([...inputs.values()].map((input) => ({ ...input, used_at: now })))
    .onConflict((conflict) =>
      conflict
        .columns(['organization_id', 'hash'])
        .doUpdateSet({ used_at: now })
        .where('plan_inputs.used_at', '<', new Date(now.getTime() - 86_400_000)),
    )
    .execute();
}

async function updateRequests(
  transaction: Database,
  planned: readonly { readonly ref: RequestRef; readonly plan: Plan; readonly waitsUntil: Date | null }[],
): Promise<void> {
  await sql`${kept}
    update requests as r set plan = c.plan, plan_hash = c.plan_hash, policy_version = c.policy_version, total_tasks = c.total_tasks, waits_until = c.waits_until
    from jsonb_to_recordset(${JSON.stringify(
      planned.map(({ ref, plan, waitsUntil }) => ({
        organization_id: ref.organizationId,
        id: ref.requestId,
        plan: JSON.stringify(plan),
        plan_hash: plan.hash,
        policy_version: plan.policy_version,
        total_tasks: plan.tasks.length,
        waits_until: waitsUntil,
      })),
    )}::jsonb) as c (organization_id text, id text, plan text, plan_hash text, policy_version text, total_tasks integer, waits_until timestamptz)
    where r.organization_id = c.organization_id and r.id = c.id`.execute(transaction);
}

function planRows(ref: RequestRef, plan: Plan, now: Date) {
  const ids = new Map(plan.tasks.map((task) => [task.key, newId('tsk', now)]));
  const id = (key: string): string => {
    const found = ids.get(key);
    if (found === undefined)
      throw new HabeasError('INTERNAL', `The plan names a task ${key} that it does not have.`);
    return found;
  };
  return {
    tasks: plan.tasks.map((task, position) => ({
      organization_id: ref.organizationId,
      id: id(task.key),
      request_id: ref.requestId,
      key: task.key,
      position,
      kind: task.kind,
      system: task.system,
      team: task.team,
      inputs: task.system === null ? null : (plan.inputs[task.system] ?? null),
      state: 'pending' as const,
      remaining: task.depends_on.length,
      attempt: 0,
      failures: 0,
      generation: 1,
    })),
    edges: plan.tasks.flatMap((task) =>
      task.depends_on.map((dependency) => ({
        organization_id: ref.organizationId,
        request_id: ref.requestId,
        task_id: id(task.key),
        depends_on: id(dependency),
      })),
    ),
  };
}

/** PostgreSQL takes 65,535 parameters a statement. */
const ROWS_PER_STATEMENT = 2_000;

function chunksOf<Row>(rows: readonly Row[]): readonly (readonly Row[])[] {
  const count = Math.ceil(rows.length / ROWS_PER_STATEMENT);
  return Array.from({ length: count }, (_, at) =>
    rows.slice(at * ROWS_PER_STATEMENT, (at + 1) * ROWS_PER_STATEMENT),
  );
}

/** The snapshot of a task that was just inserted; nothing is read back. */
function newTask(
  row: Pick<RequestTables['tasks'], 'id' | 'key' | 'kind' | 'system' | 'team' | 'state' | 'remaining'>,
): TaskSnapshot {
  const { id, key, kind, system, team, state, remaining } = row;
  const untouched = { errorCode: null, nextAttemptAt: null, calledBackAt: null, reportsFrom: null };
  return {
    id,
    key,
    kind,
    system,
    team,
    state,
    remaining,
    attempt: 0,
    failures: 0,
    generation: 1,
    ...untouched,
  };
}
