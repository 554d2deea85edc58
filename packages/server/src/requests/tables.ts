import type { api } from '@habeas/contract';
import type { Generated } from 'kysely';
import type { About } from '../catalog/index.ts';

/** Times are read as Date; JSON is kept as text, because it is written once and read whole. */
export type RequestTables = {
  requests: {
    organization_id: string;
    id: string;
    right_kind: api.Right;
    state: api.RequestState;
    held_from: api.RequestState | null;
    /** Legal holds that it is under; with `person` among them, a person holds it as well. */
    legal_holds: Generated<string[]>;
    /** How many different people have to approve; null: nobody was asked. */
    approvals_needed: number | null;
    /** Who approved, as the audit log names them. */
    approvals: Generated<string[]>;
    dry_run: boolean;
    /** The law that it is answered under; null: received before it was kept. */
    regime: api.Regime | null;
    subject_kind: api.SubjectKind | null;
    /** Frozen at the receipt: another policy must not turn a tenant into a person. */
    about: About;
    /** The team that answers for it. */
    owner: string | null;
    /** The law's terms and the calendar as they were at receipt, as JSON: what a moved deadline is counted by. */
    deadline_rules: string | null;
    identity_types: string[];
    /** Of a rectification: categories and fields, no values. */
    targets: Generated<string[]>;
    /** Of an objection. */
    purposes: Generated<string[]>;
    lift: Generated<boolean>;
    received_at: Date;
    due_at: Date;
    /** By when receipt has to be confirmed; null where the law sets no such term. */
    acknowledge_by: Date | null;
    /** When the person was told that the request arrived. */
    acknowledged_at: Date | null;
    /** Since when the clock stands still; null: it runs. */
    clock_stopped_at: Date | null;
    /** When the next level of a term is reached that somebody is told of. */
    next_alert_at: Date | null;
    /** The denied request that it is an appeal against. */
    appeal_of: string | null;
    waits_until: Date | null;
    started_at: Date | null;
    completed_at: Date | null;
    residual_until: Date | null;
    reason: string | null;
    policy_version: string | null;
    open_tasks: number;
    blocked_tasks: number;
    total_tasks: number;
    destruction_started: boolean;
    matched: boolean | null;
    plan: string | null;
    plan_hash: string | null;
    package_blob: string | null;
    package_bytes: number | null;
    package_sha256: string | null;
    package_expires_at: Date | null;
    /** Since when a rectification may change what others of the same person wait for; null: not yet, or it is none. */
    turn_at: Generated<Date | null>;
    forget_at: Date | null;
    received_by: string;
    /** Of mails to the person; null: the configuration's. */
    language: api.Language | null;
    /** The signed receipt, as JSON; null until it is made, soon after the end. */
    receipt: string | null;
  };
  legal_holds: {
    organization_id: string;
    id: string;
    scope: api.LegalHoldScope['kind'];
    system: string | null;
    category: string | null;
    identity_types: string[];
    reason: string;
    placed_by: string;
    placed_at: Date;
    /** When the requests that were open were looked through; null: that is still to be done. */
    applied_at: Date | null;
    released_by: string | null;
    released_at: Date | null;
    release_reason: string | null;
  };
  legal_hold_identities: { organization_id: string; hold_id: string; digest: Uint8Array };
  deadline_changes: {
    organization_id: string;
    request_id: string;
    /** Counts from 0. */
    position: number;
    kind: 'extended' | 'clock-stopped' | 'clock-resumed' | 'acknowledged';
    reason: string | null;
    at: Date;
    actor: string;
    due_before: Date;
    due_after: Date;
    /** How the end is counted, as JSON. */
    explanation: string;
  };
  deadline_alerts: {
    organization_id: string;
    request_id: string;
    term: 'answer' | 'acknowledgement';
    /** Of which deadline: one that moved is another one. */
    due_at: Date;
    /** 50, 80, 95, or 100 for late. */
    level: number;
    at: Date;
    /** false: a higher level was told at once. */
    told: boolean;
  };
  request_keys: { organization_id: string; request_id: string; sealed_key: Uint8Array };
  request_identities: {
    organization_id: string;
    request_id: string;
    digest: Uint8Array;
    position: Generated<number>;
    type: string;
    sealed_value: Uint8Array;
    source: string;
  };
  request_blobs: {
    organization_id: string;
    request_id: string;
    blob: string;
    part: string;
    position: number;
    sealed: Uint8Array;
  };
  /** New values of a rectification, sealed with the request's key. */
  request_changes: { organization_id: string; request_id: string; sealed: Uint8Array };
  idempotency_keys: {
    organization_id: string;
    idempotency_key: string;
    request_id: string;
    body_digest: Uint8Array;
    created_at: Date;
  };
  tasks: {
    organization_id: string;
    id: string;
    request_id: string;
    key: string;
    position: number;
    kind: api.TaskKind;
    system: string | null;
    team: string | null;
    /** Under which hash the datasets of the system were frozen with the plan. */
    inputs: string | null;
    state: api.TaskState;
    remaining: number;
    attempt: number;
    failures: number;
    generation: number;
    worker: string | null;
    operation: string | null;
    blob: string | null;
    contents: string | null;
    next_attempt_at: Date | null;
    started_at: Date | null;
    ended_at: Date | null;
    error_code: string | null;
    error_message: string | null;
    evidence: string | null;
    note: string | null;
    /** When the newest callback about it was sent. */
    called_back_at: Date | null;
    /** Reports of its system from before are about a former operation. */
    reports_from: Date | null;
  };
  task_dependencies: { organization_id: string; request_id: string; task_id: string; depends_on: string };
  plan_inputs: {
    organization_id: string;
    hash: string;
    content: string;
    /** When a plan last froze it, within a day. */
    used_at: Generated<Date>;
  };
};

export const TASK_ROW_COLUMNS = [
  'organization_id',
  'id',
  'request_id',
  'key',
  'position',
  'kind',
  'system',
  'team',
  'inputs',
  'state',
  'remaining',
  'attempt',
  'failures',
  'generation',
  'worker',
  'operation',
  'blob',
  'contents',
  'next_attempt_at',
  'started_at',
  'ended_at',
  'error_code',
  'error_message',
  'evidence',
  'note',
  'called_back_at',
  'reports_from',
] as const satisfies readonly (keyof RequestTables['tasks'])[];

/** All but the plan, which can be large and is read only by those who show it. */
export const REQUEST_COLUMNS = [
  'organization_id',
  'id',
  'right_kind',
  'state',
  'held_from',
  'legal_holds',
  'approvals_needed',
  'approvals',
  'dry_run',
  'regime',
  'subject_kind',
  'about',
  'owner',
  'identity_types',
  'targets',
  'purposes',
  'lift',
  'received_at',
  'due_at',
  'acknowledge_by',
  'acknowledged_at',
  'clock_stopped_at',
  'appeal_of',
  'waits_until',
  'started_at',
  'completed_at',
  'residual_until',
  'reason',
  'policy_version',
  'open_tasks',
  'blocked_tasks',
  'total_tasks',
  'destruction_started',
  'matched',
  'plan_hash',
  'package_blob',
  'package_bytes',
  'package_sha256',
  'package_expires_at',
  'forget_at',
  'received_by',
  'language',
] as const satisfies readonly (keyof RequestTables['requests'])[];
