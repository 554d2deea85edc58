import { sql } from 'kysely';
import { appendAudit } from '../audit/index.ts';
import type { Evidence } from '../connectors/index.ts';
import type { Database } from '../foundation/index.ts';
import { publish } from '../notify/index.ts';
import type { RequestRef } from './identity-vault.ts';
import type { LoadedNeighbourhood } from './neighbourhood.ts';
import { isEnded, type Step } from './step.ts';

/** What else is stored with the task that the event was about. Absent: unchanged. */
export interface TaskResult {
  readonly worker?: string | null;
  readonly operation?: string | null;
  readonly blob?: string | null;
  readonly evidence?: Evidence | null;
  readonly note?: string | null;
}

export interface SaveStepOptions extends RequestRef {
  readonly before: LoadedNeighbourhood;
  readonly step: Step;
  readonly result: TaskResult;
  readonly actor: string;
  readonly now: Date;
  /** How long after its end the request's personal data is forgotten. */
  readonly forgetAfterMilliseconds: number;
}

/** Writes what a step changed, with its audit entries and events, in the caller's transaction. */
export async function saveStep(transaction: Database, options: SaveStepOptions): Promise<void> {
  await saveRequest(transaction, options);
  await saveTasks(transaction, options);
  const { step, organizationId, requestId, now } = options;
  await appendAudit(
    transaction,
    step.facts.map((fact) => ({
      organizationId,
      actor: options.actor,
      action: fact.action,
      subject: fact.subject,
      details: { ...fact.details, request: requestId },
    })),
    now,
  );
  await publish(
    transaction,
    step.facts.map((fact) => ({
      organizationId,
      type: fact.action,
      requestId,
      data: { ...fact.details, subject: fact.subject, state: step.request.state },
    })),
    now,
  );
}

async function saveRequest(transaction: Database, options: SaveStepOptions): Promise<void> {
  const { before, step, now } = options;
  const { request } = step;
  const unchanged = JSON.stringify(request) === JSON.stringify(before.request) && step.reason === undefined;
  if (unchanged) return;
  const starts = request.state === 'running' && before.requestRow.started_at === null;
  const ends = isEnded(request.state) && !isEnded(before.request.state);
  const forgetAt = ends ? new Date(now.getTime() + options.forgetAfterMilliseconds) : null;
  await sql`
    update requests set
      state = ${request.state},
      held_from = ${request.heldFrom},
      open_tasks = ${request.openTasks},
      blocked_tasks = ${request.blockedTasks},
      destruction_started = ${request.destructionStarted},
      matched = ${request.matched},
      reason = coalesce(${step.reason ?? null}, reason),
      started_at = coalesce(started_at, ${starts ? now : null}::timestamptz),
      completed_at = coalesce(completed_at, ${ends ? now : null}::timestamptz),
      forget_at = coalesce(forget_at, ${forgetAt}::timestamptz)
    where organization_id = ${options.organizationId} and id = ${options.requestId}`.execute(transaction);
}

/** One statement for all tasks of the step: `unnest` would need a list per column, a record set needs one value. */
async function saveTasks(transaction: Database, options: SaveStepOptions): Promise<void> {
  const { step, now, before, result } = options;
  if (step.tasks.length === 0) return;
  const enqueued = new Set(step.enqueue.map((job) => job.taskId));
  const subject = before.taskRow?.id;
  const changes = step.tasks.map((task) => {
    const own = task.id === subject ? result : {};
    return {
      id: task.id,
      state: task.state,
      remaining: task.remaining,
      attempt: task.attempt,
      failures: task.failures,
      generation: task.generation,
      next_attempt_at: task.nextAttemptAt ?? null,
      enqueued_at: enqueued.has(task.id) ? now : null,
      set_error: task.error !== undefined,
      error_code: task.error?.code ?? null,
      error_message: task.error?.message ?? null,
      worker: task.state === 'running' ? (own.worker ?? null) : null,
      set_operation: own.operation !== undefined,
      operation: own.operation ?? null,
      blob: own.blob ?? null,
      evidence: own.evidence === undefined || own.evidence === null ? null : JSON.stringify(own.evidence),
      note: own.note ?? null,
      starts: task.state === 'running' || (task.kind === 'ticket' && task.state === 'waiting'),
      ends: task.state === 'succeeded' || task.state === 'skipped' || task.state === 'cancelled',
    };
  });
  await sql`
    update tasks as t set
      state = c.state,
      remaining = c.remaining,
      attempt = c.attempt,
      failures = c.failures,
      generation = c.generation,
      worker = c.worker,
      next_attempt_at = c.next_attempt_at,
      enqueued_at = coalesce(c.enqueued_at, t.enqueued_at),
      error_code = case when c.set_error then c.error_code else t.error_code end,
      error_message = case when c.set_error then c.error_message else t.error_message end,
      operation = case when c.set_operation then c.operation else t.operation end,
      blob = coalesce(c.blob, t.blob),
      evidence = coalesce(c.evidence, t.evidence),
      note = coalesce(c.note, t.note),
      started_at = case when c.starts then coalesce(t.started_at, ${now}::timestamptz) else t.started_at end,
      ended_at = case when c.ends then ${now}::timestamptz else null end
    from jsonb_to_recordset(${JSON.stringify(changes)}::jsonb) as c (
      id text, state text, remaining integer, attempt integer, failures integer, generation integer,
      next_attempt_at timestamptz, enqueued_at timestamptz, set_error boolean, error_code text, error_message text,
      worker text, set_operation boolean, operation text, blob text, evidence text, note text, starts boolean, ends boolean
    )
    where t.organization_id = ${options.organizationId} and t.id = c.id`.execute(transaction);
}
