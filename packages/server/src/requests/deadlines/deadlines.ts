import type { api } from '@habeas/contract';
import { appendAudit } from '../../audit/index.ts';
import { type Clock, type Database, HabeasError } from '../../foundation/index.ts';
import { publish } from '../../notify/index.ts';
import type { Policy } from '../../policy/index.ts';
import type { RequestRow } from '../neighbourhood.ts';
import type { Caller, Requests } from '../requests.ts';
import { REQUEST_COLUMNS, type RequestTables } from '../tables.ts';
import { levelReached, nextAlertAt, runningTerms } from './alert-levels.ts';
import { type LoadedDeadline, loadDeadline, lockedRequest } from './load-deadline.ts';
import { type DeadlineCommand, type DeadlineStep, explainDeadline, stepDeadline } from './step-deadline.ts';

export interface DeadlinesOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly policy: Policy;
}

/** By when a request has to be answered, and all that moves that date. */
export function createDeadlines(options: DeadlinesOptions): Pick<Requests, 'deadline' | 'commandDeadline'> {
  const { db, clock, policy } = options;
  return {
    async deadline(caller, requestId) {
      const row = await db
        .withTables<RequestTables>()
        .selectFrom('requests')
        .select(columns)
        .where('organization_id', '=', caller.organizationId)
        .where('id', '=', requestId)
        .executeTakeFirst();
      if (row === undefined) throw new HabeasError('NOT_FOUND', `There is no request ${requestId}.`);
      return deadlineView(row, await loadDeadline(db, row, policy));
    },
    async commandDeadline(caller, requestId, command) {
      return db.transaction().execute(async (transaction) => {
        const done = await apply(transaction, { caller, requestId, command, policy, now: clock.now() });
        if ('refused' in done)
          throw new HabeasError(
            'CONFLICT',
            `Request ${requestId} cannot do "${command.type}": ${done.refused}.`,
          );
        const { saved, rules } = done;
        return deadlineView(
          saved,
          await loadDeadline(transaction, { ...saved, deadline_rules: rules }, policy),
        );
      });
    },
  };
}

const columns = [...REQUEST_COLUMNS, 'deadline_rules'] as const;

/** Notes that receipt was confirmed by a mail that went out. Noted before, or of a request that has ended, nothing changes. */
export async function acknowledgeByMail(
  transaction: Database,
  told: Pick<ToApply, 'requestId' | 'policy' | 'now'> & { readonly organizationId: string },
): Promise<void> {
  const caller = { organizationId: told.organizationId, actor: 'system' };
  await apply(transaction, { ...told, caller, command: { type: 'acknowledge' } });
}

interface ToApply {
  readonly caller: Caller;
  readonly requestId: string;
  readonly command: DeadlineCommand;
  readonly policy: Pick<Policy, 'deadlinesOf'>;
  readonly now: Date;
}

async function apply(
  transaction: Database,
  { caller, requestId, command, policy, now }: ToApply,
): Promise<{ readonly saved: RequestRow; readonly rules: string | null } | { readonly refused: string }> {
  const ref = { organizationId: caller.organizationId, requestId };
  const row = await lockedRequest(transaction, ref).select(columns).executeTakeFirst();
  if (row === undefined) throw new HabeasError('NOT_FOUND', `There is no request ${requestId}.`);
  const before = await loadDeadline(transaction, row, policy);
  const step = stepDeadline(before.state, command, now);
  if ('refused' in step) return step;
  const saved = await save(transaction, { row, step, caller, position: before.rows.length, now });
  return { saved, rules: row.deadline_rules };
}

interface ToSave {
  readonly row: RequestRow;
  readonly step: DeadlineStep;
  readonly caller: Caller;
  readonly position: number;
  readonly now: Date;
}

/** The record first: the database lets no deadline move without one. */
async function save(
  transaction: Database,
  { row, step, caller, position, now }: ToSave,
): Promise<RequestRow> {
  const { change, dueAt, explanation } = step;
  const tables = transaction.withTables<RequestTables>();
  await tables
    .insertInto('deadline_changes')
    .values({
      organization_id: row.organization_id,
      request_id: row.id,
      position,
      kind: change.kind,
      reason: change.reason,
      at: change.at,
      actor: caller.actor,
      due_before: row.due_at,
      due_after: dueAt,
      explanation: JSON.stringify(explanation),
    })
    .execute();
  const next: RequestRow = {
    ...row,
    due_at: dueAt,
    acknowledged_at: change.kind === 'acknowledged' ? now : row.acknowledged_at,
    clock_stopped_at: stoppedAt(row, change.kind, now),
  };
  await tables
    .updateTable('requests')
    .set({
      due_at: next.due_at,
      acknowledged_at: next.acknowledged_at,
      clock_stopped_at: next.clock_stopped_at,
      next_alert_at: await alertAfterMove(transaction, { before: row, after: next, now }),
    })
    .where('organization_id', '=', row.organization_id)
    .where('id', '=', row.id)
    .execute();
  const details = {
    reason: change.reason,
    due_at: dueAt.toISOString(),
    due_before: row.due_at.toISOString(),
    regime: row.regime,
  };
  const organizationId = row.organization_id;
  const action = `request.${change.kind}`;
  await appendAudit(
    transaction,
    [{ organizationId, actor: caller.actor, action, subject: row.id, details }],
    now,
  );
  const data = { ...details, right: row.right_kind, state: row.state };
  await publish(transaction, [{ organizationId, type: action, requestId: row.id, data }], now);
  return next;
}

/** Levels of the new term that are passed already are told at once, unless as much was told of the old one. */
async function alertAfterMove(
  transaction: Database,
  move: { readonly before: RequestRow; readonly after: RequestRow; readonly now: Date },
): Promise<Date | null> {
  const { before, after, now } = move;
  const terms = runningTerms(termsOf(after));
  const reached = terms.map((term) => (term.term === 'answer' ? (levelReached(term, now) ?? 0) : 0));
  const told = await transaction
    .withTables<RequestTables>()
    .selectFrom('deadline_alerts')
    .select(({ fn }) => fn.max('level').as('level'))
    .where('organization_id', '=', before.organization_id)
    .where('request_id', '=', before.id)
    .where('term', '=', 'answer')
    .where('due_at', '=', before.due_at)
    .executeTakeFirst();
  return Math.max(0, ...reached) > (told?.level ?? 0) ? now : nextAlertAt(terms, now);
}

function stoppedAt(row: RequestRow, kind: DeadlineStep['change']['kind'], now: Date): Date | null {
  if (kind === 'clock-stopped') return now;
  return kind === 'clock-resumed' ? null : row.clock_stopped_at;
}

/** The row as the alerts see it. */
export function termsOf(
  row: Pick<RequestRow, 'received_at' | 'due_at' | 'acknowledge_by' | 'acknowledged_at' | 'clock_stopped_at'>,
): Parameters<typeof runningTerms>[0] {
  return {
    receivedAt: row.received_at,
    dueAt: row.due_at,
    acknowledgeBy: row.acknowledge_by,
    acknowledgedAt: row.acknowledged_at,
    clockStoppedAt: row.clock_stopped_at,
  };
}

function deadlineView(row: RequestRow, { state, rows }: LoadedDeadline): api.DeadlineView {
  return {
    request_id: row.id,
    regime: state.rules.law,
    received_at: row.received_at.toISOString(),
    due_at: row.due_at.toISOString(),
    acknowledge_by: row.acknowledge_by?.toISOString() ?? null,
    acknowledged_at: row.acknowledged_at?.toISOString() ?? null,
    clock_stopped_at: row.clock_stopped_at?.toISOString() ?? null,
    explanation: [...explainDeadline(state)],
    changes: rows.map((change) => ({
      kind: change.kind,
      at: change.at.toISOString(),
      actor: change.actor,
      reason: change.reason,
      due_before: change.due_before.toISOString(),
      due_after: change.due_after.toISOString(),
    })),
  };
}
