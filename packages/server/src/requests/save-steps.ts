import { sql } from 'kysely';
import { appendAudit } from '../audit/index.ts';
import type { Evidence } from '../connectors/index.ts';
import { type Database, kept, together } from '../foundation/index.ts';
import { publish } from '../notify/index.ts';
import type { Fact, Step, TaskChange } from './change.ts';
import type { RequestRef } from './identity-vault.ts';
import type { LoadedNeighbourhood } from './neighbourhood.ts';
import { isEnded } from './snapshot.ts';

/** What else is stored with the task that the event was about. Absent: unchanged. */
export interface TaskResult {
  readonly operation?: string | null;
  readonly blob?: string | null;
  /** What lies in the blob: names and counts of collections, as JSON. */
  readonly contents?: string | null;
  readonly evidence?: Evidence | null;
  readonly note?: string | null;
}

/** One step to write, with what it was about. */
export interface StepToSave {
  readonly target: RequestRef;
  readonly before: Pick<LoadedNeighbourhood, 'request' | 'taskRow'> &
    Partial<Pick<LoadedNeighbourhood, 'behindGates'>>;
  readonly step: Step;
  readonly result: TaskResult;
  readonly actor: string;
  /** Claims that were made with it, by a worker. (Default: none) */
  readonly claims?: readonly Fact[];
}

export interface SaveStepsOptions {
  readonly now: Date;
  /** How long after its end a request's personal data is forgotten. */
  readonly forgetAfterMilliseconds: number;
  /** Who holds what these steps claim. */
  readonly worker: string;
}

/** Writes what steps changed, with their audit entries and events, in the caller's transaction: a few statements, however many steps. */
export async function saveSteps(
  transaction: Database,
  steps: readonly StepToSave[],
  options: SaveStepsOptions,
): Promise<void> {
  const entries = steps.flatMap(({ target, step, actor, claims = [] }) =>
    [...step.facts, ...claims].map((fact, index) => ({
      organizationId: target.organizationId,
      actor: index < step.facts.length ? actor : 'system',
      action: fact.action,
      subject: fact.subject,
      details: { ...fact.details, request: target.requestId },
    })),
  );
  const events = steps.flatMap(({ target, step, claims = [] }) =>
    [...step.facts, ...claims].map((fact) => ({
      organizationId: target.organizationId,
      type: fact.action,
      requestId: target.requestId,
      data: { ...fact.details, subject: fact.subject, state: step.request.state },
    })),
  );
  await together(transaction, (pipelined) => [
    saveRequests(pipelined, steps, options),
    saveTasks(pipelined, steps, options),
    appendAudit(pipelined, entries, options.now),
    publish(pipelined, events, options.now),
  ]);
}

async function saveRequests(
  transaction: Database,
  steps: readonly StepToSave[],
  options: SaveStepsOptions,
): Promise<void> {
  const changes = steps.flatMap(({ target, before, step }) => {
    const { request } = step;
    const unchanged = JSON.stringify(request) === JSON.stringify(before.request) && step.reason === undefined;
    if (unchanged) return [];
    const ends = isEnded(request.state) && !isEnded(before.request.state);
    return [
      {
        organization_id: target.organizationId,
        id: target.requestId,
        state: request.state,
        held_from: request.heldFrom,
        legal_holds: request.legalHolds ?? [],
        approvals_needed: request.approval?.needed ?? null,
        approvals: request.approval?.given ?? [],
        open_tasks: request.openTasks,
        blocked_tasks: request.blockedTasks,
        destruction_started: request.destructionStarted,
        matched: request.matched,
        set_reason: step.reason !== undefined,
        reason: step.reason ?? null,
        started_at: request.state === 'running' ? options.now : null,
        completed_at: ends ? options.now : null,
        forget_at: ends ? new Date(options.now.getTime() + options.forgetAfterMilliseconds) : null,
      },
    ];
  });
  if (changes.length === 0) return;
  await sql`${kept}
    update requests as r set
      state = c.state,
      held_from = c.held_from,
      legal_holds = c.legal_holds,
      approvals_needed = c.approvals_needed,
      approvals = c.approvals,
      open_tasks = c.open_tasks,
      blocked_tasks = c.blocked_tasks,
      destruction_started = c.destruction_started,
      matched = c.matched,
      reason = case when c.set_reason then c.reason else r.reason end,
      started_at = coalesce(r.started_at, c.started_at),
      completed_at = coalesce(r.completed_at, c.completed_at),
      forget_at = coalesce(r.forget_at, c.forget_at)
    from jsonb_to_recordset(${JSON.stringify(changes)}::jsonb) as c (
      organization_id text, id text, state text, held_from text, legal_holds text[], approvals_needed integer, approvals text[], open_tasks integer, blocked_tasks integer,
      destruction_started boolean, matched boolean, set_reason boolean, reason text, started_at timestamptz, completed_at timestamptz,
      forget_at timestamptz
    )
    where r.organization_id = c.organization_id and r.id = c.id`.execute(transaction);
}

/** A record set needs one parameter for all tasks; `unnest` would need a list per column. */
async function saveTasks(
  transaction: Database,
  steps: readonly StepToSave[],
  { now, worker }: SaveStepsOptions,
): Promise<void> {
  const changes = steps.flatMap((saved) =>
    saved.step.tasks.map((task) => ({
      ...taskChange(saved, task),
      worker: task.state === 'running' ? worker : null,
    })),
  );
  if (changes.length === 0) return;
  await sql`${kept}
    update tasks as t set
      state = c.state,
      remaining = c.remaining,
      attempt = c.attempt,
      failures = c.failures,
      generation = c.generation,
      worker = c.worker,
      next_attempt_at = c.next_attempt_at,
      reports_from = c.reports_from,
      error_code = case when c.set_error then c.error_code else t.error_code end,
      error_message = case when c.set_error then c.error_message else t.error_message end,
      operation = case when c.set_operation then c.operation else t.operation end,
      blob = coalesce(c.blob, t.blob),
      contents = coalesce(c.contents, t.contents),
      evidence = case when c.forget_evidence then null else coalesce(c.evidence, t.evidence) end,
      note = coalesce(c.note, t.note),
      started_at = case when c.starts then coalesce(t.started_at, ${now}::timestamptz) else t.started_at end,
      ended_at = case when c.ends then ${now}::timestamptz else null end
    from jsonb_to_recordset(${JSON.stringify(changes)}::jsonb) as c (
      organization_id text, id text, state text, remaining integer, attempt integer, failures integer, generation integer,
      next_attempt_at timestamptz, reports_from timestamptz, set_error boolean, error_code text, error_message text,
      worker text, set_operation boolean, operation text, blob text, contents text, forget_evidence boolean, evidence text, note text, starts boolean, ends boolean
    )
    where t.organization_id = c.organization_id and t.id = c.id`.execute(transaction);
}

function taskChange({ target, before, result }: StepToSave, task: TaskChange) {
  const own = task.id === before.taskRow?.id ? result : {};
  return {
    organization_id: target.organizationId,
    id: task.id,
    state: task.state,
    remaining: task.remaining,
    attempt: task.attempt,
    failures: task.failures,
    generation: task.generation,
    next_attempt_at: task.nextAttemptAt,
    reports_from: task.reportsFrom,
    set_error: task.error !== undefined,
    error_code: task.error?.code ?? null,
    error_message: task.error?.message ?? null,
    set_operation: own.operation !== undefined || task.forgetsOperation === true,
    operation: own.operation ?? null,
    blob: own.blob ?? null,
    contents: own.contents ?? null,
    forget_evidence: task.forgetsEvidence === true,
    evidence: own.evidence === undefined || own.evidence === null ? null : JSON.stringify(own.evidence),
    note: own.note ?? null,
    starts: task.state === 'running' || (task.kind === 'ticket' && task.state === 'waiting'),
    ends: task.state === 'succeeded' || task.state === 'skipped' || task.state === 'cancelled',
  };
}
