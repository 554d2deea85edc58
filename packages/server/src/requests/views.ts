import type { api } from '@habeas/contract';
import type { PersonMail } from '../notify/index.ts';
import type { RequestRow, TaskRow } from './neighbourhood.ts';
import type { Plan } from './plan.ts';
import { readEvidence } from './read-evidence.ts';
import { instructionsOf } from './ticket-instructions.ts';

export function requestView(row: RequestRow): api.RequestView {
  return {
    id: row.id,
    right: row.right_kind,
    state: row.state,
    dry_run: row.dry_run,
    regime: row.regime,
    subject_kind: row.subject_kind,
    owner: row.owner,
    legal_holds: row.legal_holds.filter((hold) => hold !== 'person'),
    identity_types: row.identity_types,
    targets: row.targets,
    purposes: row.purposes,
    lift: row.lift,
    received_at: row.received_at.toISOString(),
    due_at: row.due_at.toISOString(),
    acknowledge_by: iso(row.acknowledge_by),
    acknowledged_at: iso(row.acknowledged_at),
    clock_stopped_at: iso(row.clock_stopped_at),
    appeal_of: row.appeal_of,
    approval: row.approvals_needed === null ? null : { needed: row.approvals_needed, given: row.approvals },
    waits_until: iso(row.waits_until),
    completed_at: iso(row.completed_at),
    residual_until: iso(row.residual_until),
    reason: row.reason,
    policy_version: row.policy_version,
    tasks: { total: row.total_tasks, open: row.open_tasks, blocked: row.blocked_tasks },
    matched: row.matched,
    package:
      row.package_blob === null ||
      row.package_bytes === null ||
      row.package_sha256 === null ||
      row.package_expires_at === null
        ? null
        : {
            id: row.package_blob,
            bytes: row.package_bytes,
            sha256: row.package_sha256,
            expires_at: row.package_expires_at.toISOString(),
          },
  };
}

export function taskView(row: TaskRow, dependencies: ReadonlyMap<string, string[]>): api.TaskView {
  return {
    id: row.id,
    request_id: row.request_id,
    key: row.key,
    kind: row.kind,
    system: row.system,
    team: row.team,
    state: row.state,
    depends_on: dependencies.get(row.key) ?? [],
    attempts: row.attempt,
    failures: row.failures,
    next_attempt_at: iso(row.next_attempt_at),
    started_at: iso(row.started_at),
    ended_at: iso(row.ended_at),
    error: row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? '' },
    evidence: row.evidence === null ? null : readEvidence(row.evidence),
    note: row.note,
  };
}

export function personMailView(mail: PersonMail): api.PersonMailView {
  return {
    id: mail.id,
    kind: mail.kind,
    state: mail.state,
    attempts: mail.attempts,
    queued_at: mail.queued_at.toISOString(),
    ended_at: iso(mail.ended_at),
    status: mail.status,
  };
}

/** Task key → keys of the tasks that it depends on. */
export function dependenciesOf(plan: Plan | undefined): ReadonlyMap<string, string[]> {
  return new Map(plan?.tasks.map((task) => [task.key, task.depends_on]));
}

export type TicketRow = TaskRow & { readonly request_state: RequestRow['state'] } & Pick<
    RequestRow,
    'right_kind' | 'due_at' | 'dry_run' | 'targets' | 'purposes' | 'lift'
  > & { readonly data_types: readonly string[]; readonly how: string | null };

export function ticketView(row: TicketRow): api.TicketView {
  return {
    id: row.id,
    request_id: row.request_id,
    right: row.right_kind,
    team: row.team ?? '',
    system: row.system ?? '',
    state: ticketState(row.state),
    instructions: instructionsOf(row),
    data_types: [...row.data_types],
    opened_at: (row.started_at ?? row.due_at).toISOString(),
    due_at: row.due_at.toISOString(),
    ended_at: iso(row.ended_at),
    note: row.note,
  };
}

function ticketState(state: TaskRow['state']): api.TicketView['state'] {
  if (state === 'succeeded') return 'closed';
  if (state === 'blocked') return 'rejected';
  return state === 'skipped' || state === 'cancelled' ? state : 'open';
}

function iso(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}
