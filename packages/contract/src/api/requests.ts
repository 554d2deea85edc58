import * as z from 'zod';
import {
  fieldChangeSchema,
  fieldChangesSchema,
  identitySchema,
  languageSchema,
  pageOf,
  pageQuerySchema,
  purposeSchema,
  rightSchema,
  timeSchema,
  wordsSchema,
} from './common.ts';
import { portableSchema, regimeSchema, subjectKindSchema } from './policy.ts';
import { signedShape } from './signed.ts';

export const requestStateSchema = z
  .enum([
    'received',
    'verifying',
    'planned',
    'approving',
    'waiting',
    'held',
    'running',
    'blocked',
    'completed',
    'rejected',
    'cancelled',
    'expired',
  ])
  .meta({ id: 'RequestState' });

export const taskKindSchema = z
  .enum([
    'resolve',
    'locate',
    'approval',
    'gate',
    'collect',
    'erase',
    'validate',
    'rectify',
    'restrict',
    'object',
    'register',
    'verify',
    'ticket',
    'package',
  ])
  .meta({ id: 'TaskKind' });

export const taskStateSchema = z
  .enum(['pending', 'ready', 'running', 'waiting', 'succeeded', 'skipped', 'blocked', 'cancelled'])
  .describe(
    'pending: something it depends on is not done; ready: due; running: a worker has it; waiting: a system or a team has it; blocked: needs a person',
  )
  .meta({ id: 'TaskState' });

export const retainedSchema = z
  .object({
    collection: z.string(),
    count: z.int(),
    reason: z.string(),
    until: z.string().nullable(),
    justification: z
      .string()
      .optional()
      .describe('The reason as an IRI of the W3C Data Privacy Vocabulary, where the policy gives one'),
  })
  .meta({ id: 'Retained' });

export const residualSchema = z
  .object({
    what: z.string(),
    until: z.string().nullable(),
    copy: z
      .string()
      .optional()
      .describe('Which of the copies it is that stores of this kind keep by themselves: `write-ahead-log`'),
  })
  .meta({ id: 'Residual' });

const effectsSchema = z
  .record(
    z.string(),
    z.object({
      found: z.int(),
      erased: z.int(),
      masked: z.int(),
      hidden: z
        .int()
        .optional()
        .describe('Only marked as deleted (soft-deleted): they are there (Default: 0)'),
      kept: z.int(),
      level: z
        .enum(['hidden', 'logical', 'purged', 'key-destroyed'])
        .describe('How far gone it is: not shown, not given by the store, not in its files, or unreadable'),
    }),
  )
  .describe('Of an erasure, where the connector tells: what became of what was found, by collection');

export const evidenceSchema = z
  .object({
    matched: z.boolean(),
    counts: z.record(z.string(), z.int()),
    retained: z.array(retainedSchema),
    residuals: z.array(residualSchema),
    notes: z.array(z.string()),
    effects: effectsSchema.optional(),
    replaced: z
      .array(
        z.object({
          collection: z.string(),
          field: z.string(),
          count: z.int(),
          old: z
            .array(z.string())
            .describe(
              'HMAC-SHA-256 of each former value, keyed by the request; the value itself is not kept',
            ),
        }),
      )
      .optional()
      .describe('Of a rectification: which values were replaced'),
  })
  .describe('What a task brought back: counts, what was kept and why, what remains until when')
  .meta({ id: 'Evidence' });

export const createRequestSchema = z
  .strictObject({
    right: rightSchema,
    identities: z.array(identitySchema).min(1).max(20),
    dry_run: z.boolean().default(false).describe('Count what would be done; change nothing'),
    language: languageSchema.optional(),
    regime: regimeSchema.optional().describe("(Default: the policy's)"),
    subject_kind: subjectKindSchema.optional().describe("(Default: the policy's)"),
    changes: fieldChangesSchema
      .optional()
      .describe('Of a rectification: what has to be changed; sealed with the key of the request'),
    purposes: z
      .array(purposeSchema)
      .max(50)
      .optional()
      .describe('Of an objection: what the data may not be used for any more'),
    lift: z
      .boolean()
      .default(false)
      .describe(
        'Of a restriction, an objection, an opt-out or a limitation: ends it instead of beginning it',
      ),
  })
  .meta({ id: 'CreateRequest' });

export const requestSchema = z
  .object({
    id: z.string(),
    right: rightSchema,
    state: requestStateSchema,
    dry_run: z.boolean(),
    regime: regimeSchema
      .nullable()
      .describe('The law that it is answered under; null: received before Habeas kept it'),
    subject_kind: subjectKindSchema.nullable(),
    owner: z.string().nullable().describe('The team that answers for it'),
    legal_holds: z.array(z.string()).describe('Ids of legal holds that it is under'),
    identity_types: z.array(z.string()).describe('Types only; values never come back'),
    targets: z.array(z.string()).describe('Of a rectification: what is changed; values never come back'),
    purposes: z.array(z.string()).describe('Of an objection: against what'),
    lift: z.boolean().describe('Whether it ends a restriction, an objection, an opt-out or a limitation'),
    received_at: timeSchema,
    due_at: timeSchema,
    acknowledge_by: timeSchema
      .nullable()
      .describe('By when receipt has to be confirmed; null: the law sets no such term'),
    acknowledged_at: timeSchema.nullable(),
    clock_stopped_at: timeSchema.nullable().describe('Since when the clock of the term stands still'),
    appeal_of: z.string().nullable().describe('The denied request that it is an appeal against'),
    approval: z
      .object({
        needed: z.int().describe('How many different people have to approve'),
        given: z.array(z.string()).describe('Who approved, as the audit log names them'),
      })
      .nullable()
      .describe('The approval that it waits for, or had; null: nobody was asked'),
    waits_until: timeSchema.nullable().describe('When a waiting erasure starts'),
    completed_at: timeSchema.nullable(),
    residual_until: timeSchema.nullable().describe('When the last copy that could not be removed ends'),
    reason: z.string().nullable().describe('Why it is held, rejected, cancelled or blocked'),
    policy_version: z.string().nullable(),
    tasks: z.object({ total: z.int(), open: z.int(), blocked: z.int() }),
    matched: z.boolean().nullable().describe('Whether any system knows the person; null until it is known'),
    package: z
      .object({ id: z.string(), bytes: z.int(), sha256: z.string(), expires_at: timeSchema })
      .nullable()
      .describe('The result of an access or a portability, once it is built'),
  })
  .meta({ id: 'Request' });

export const taskSchema = z
  .object({
    id: z.string(),
    request_id: z.string(),
    key: z.string().describe('Name inside the plan: `erase:shop`'),
    kind: taskKindSchema,
    system: z.string().nullable(),
    team: z.string().nullable(),
    state: taskStateSchema,
    depends_on: z.array(z.string()).describe('Keys of tasks'),
    attempts: z.int(),
    failures: z
      .int()
      .describe('In a row: since it last went well, or a person retried it; `error` is the last one'),
    next_attempt_at: timeSchema.nullable(),
    started_at: timeSchema.nullable(),
    ended_at: timeSchema.nullable(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    evidence: evidenceSchema.nullable(),
    note: z
      .string()
      .nullable()
      .describe('What a team said when it closed its ticket, or why a person skipped the task'),
  })
  .meta({ id: 'Task' });

export const procedureSchema = z
  .object({
    wait_seconds: z.int().describe('From receipt, before it starts'),
    approval: z.enum(['none', 'required']),
    approvers: z
      .array(z.string())
      .describe('Who may approve, as the audit log names them; empty: whoever may decide about requests'),
    four_eyes_above: z
      .int()
      .nullable()
      .optional()
      .describe('With more rows found than this, two different people approve before anything is destroyed'),
    portable: portableSchema
      .optional()
      .describe('Of a portability: what is handed over, by where the values are from'),
    owner: z.string().nullable().describe('The team that answers for the request'),
  })
  .describe('What the policy asks for beside the tasks')
  .meta({ id: 'Procedure' });

export const planSchema = z
  .object({
    right: rightSchema,
    dry_run: z.boolean(),
    regime: regimeSchema.optional(),
    subject_kind: subjectKindSchema.optional(),
    procedure: procedureSchema.optional(),
    policy_version: z.string(),
    hash: z.string().describe('SHA-256 of the frozen plan'),
    targets: z.array(z.string()).optional().describe('Of a rectification: what is changed'),
    purposes: z.array(z.string()).optional().describe('Of an objection: against what'),
    lift: z.boolean().optional().describe('Whether it ends what a former request began'),
    tasks: z.array(
      z.object({
        key: z.string(),
        kind: taskKindSchema,
        system: z.string().nullable(),
        team: z.string().nullable(),
        depends_on: z.array(z.string()),
        explanation: z.string().describe('Why this task is there, in words'),
        how: z.string().optional().describe('Of an erasure by hand: how the policy wants it done'),
      }),
    ),
    kept: z.array(
      z.object({
        system: z.string(),
        collection: z.string(),
        fields: z.array(z.string()),
        reason: z.string(),
        legal_basis: z.string().nullable(),
        until: z.string().nullable(),
        justification: z.string().optional(),
      }),
    ),
    gaps: z.array(
      z.object({
        kind: z.string(),
        system: z.string().nullable(),
        message: z.string(),
        ticket: z.boolean().describe('Whether a ticket covers it'),
      }),
    ),
  })
  .meta({ id: 'Plan' });

export const previewPlanSchema = z
  .strictObject({
    right: rightSchema,
    identity_types: z.array(z.string()).min(1).default(['email']),
    dry_run: z.boolean().default(false),
    regime: regimeSchema.optional(),
    subject_kind: subjectKindSchema.optional(),
    targets: z
      .array(fieldChangeSchema.shape.target)
      .max(50)
      .optional()
      .describe('Of a rectification: what would be changed'),
    purposes: z.array(purposeSchema).max(50).optional().describe('Of an objection: against what'),
    lift: z.boolean().default(false),
  })
  .meta({ id: 'PreviewPlan' });

const momentSchema = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()])
  .describe('RFC 3339, or a date, which is its first moment in UTC');

/** Requests that all of this is true of. */
export const requestFilterSchema = z.object({
  state: requestStateSchema.optional(),
  right: rightSchema.optional(),
  open: z
    .enum(['true', 'false'])
    .optional()
    .describe('true: only those that have not ended; false: only those that have (Default: both)'),
  regime: regimeSchema.optional().describe('Only those that are answered under this law'),
  owner: z.string().min(1).max(200).optional().describe('Only those that this team answers for'),
  due_before: momentSchema.optional().describe('Only those that have to be answered before this moment'),
  received_from: momentSchema.optional().describe('Only those received at this moment or later'),
  received_before: momentSchema.optional().describe('Only those received before this moment'),
  id: z
    .string()
    .regex(/^[a-z0-9_]{1,100}$/, 'the beginning of an id')
    .optional()
    .describe('Only those whose id begins so'),
  order: z
    .enum(['newest', 'due'])
    .optional()
    .describe('newest: last received first; due: first due first (Default: newest)'),
});

export const listRequestsQuerySchema = pageQuerySchema.extend(requestFilterSchema.shape);

export const reasonSchema = z
  .strictObject({
    reason: wordsSchema.describe('Kept in the request; write no personal data'),
  })
  .meta({ id: 'Reason' });

export const extendSchema = z
  .strictObject({
    reason: z
      .enum([
        'ComplexityOfProcess',
        'HighVolumeOfProcesses',
        'IdentityVerificationRequired',
        'InformationRequired',
      ])
      .describe('A delay reason of the W3C Data Privacy Vocabulary; the person is told'),
  })
  .meta({ id: 'Extend' });

export const stopClockSchema = z
  .strictObject({
    reason: z
      .enum(['identity', 'clarification'])
      .describe('What has to be cleared up with the person: who they are, or what they ask for'),
  })
  .meta({ id: 'StopClock' });

export const deadlineSchema = z
  .object({
    request_id: z.string(),
    regime: regimeSchema,
    received_at: timeSchema,
    due_at: timeSchema,
    acknowledge_by: timeSchema.nullable(),
    acknowledged_at: timeSchema.nullable(),
    clock_stopped_at: timeSchema.nullable(),
    explanation: z.array(z.string()).describe('How the end is counted, step by step'),
    changes: z.array(
      z.object({
        kind: z.enum(['extended', 'clock-stopped', 'clock-resumed', 'acknowledged']),
        at: timeSchema,
        actor: z.string(),
        reason: z.string().nullable().describe('IRI of a delay reason, or what was cleared up'),
        due_before: timeSchema,
        due_after: timeSchema,
      }),
    ),
  })
  .meta({ id: 'Deadline' });

export const ticketStateSchema = z
  .enum(['open', 'closed', 'rejected', 'skipped', 'cancelled'])
  .describe(
    'open: the team is to do it; closed: done; rejected: the team will not do it, an officer decides; skipped: left out by an officer; cancelled: ended with its request',
  )
  .meta({ id: 'TicketState' });

export const ticketSchema = z
  .object({
    id: z.string().describe('The id of the task that it is'),
    request_id: z.string(),
    right: rightSchema,
    team: z.string(),
    system: z.string(),
    state: ticketStateSchema,
    instructions: z.string().describe('What the team is to do, in words'),
    data_types: z.array(z.string()),
    opened_at: timeSchema,
    due_at: timeSchema,
    ended_at: timeSchema.nullable(),
    note: z.string().nullable(),
  })
  .meta({ id: 'Ticket' });

/** One ticket with the person that it is about; only this answer names them. */
export const ticketDetailSchema = ticketSchema
  .extend({
    identities: z
      .array(identitySchema)
      .describe('Whom it is about; empty once the ticket is not open any more'),
    changes: z
      .array(fieldChangeSchema)
      .describe('Of a rectification: what has to be changed; empty once the ticket is not open any more'),
  })
  .meta({ id: 'TicketDetail' });

export const closeTicketSchema = z
  .strictObject({
    note: wordsSchema.describe('What was done; write no personal data'),
    count: z
      .int()
      .min(0)
      .optional()
      .describe('How many records were handed over or erased (Default: those in `data`)'),
    data: z
      .record(z.string().min(1).max(100), z.array(z.record(z.string(), z.unknown())).max(100_000))
      .optional()
      .describe(
        'Of an access or a portability: what the team found, rows by collection; it goes into the package, sealed until then',
      ),
  })
  .meta({ id: 'CloseTicket' });

export const listTicketsQuerySchema = pageQuerySchema.extend({
  team: z.string().optional(),
  state: ticketStateSchema.optional(),
});

export const requestPageSchema = pageOf(requestSchema).meta({ id: 'RequestPage' });
export const ticketPageSchema = pageOf(ticketSchema).meta({ id: 'TicketPage' });
export const taskListSchema = z.object({ items: z.array(taskSchema) }).meta({ id: 'TaskList' });

/** What a finished request can show for itself: signed, without personal data. */
export const receiptSchema = z
  .object({
    receipt: z
      .object({
        version: z.literal(3),
        salt: z
          .string()
          .describe('Random, so that the hash of the receipt tells nothing about the words in it'),
        organization: z.string(),
        request_id: z.string(),
        right: rightSchema,
        dry_run: z.boolean(),
        state: requestStateSchema,
        received_at: timeSchema,
        completed_at: timeSchema,
        plan_hash: z.string(),
        policy_version: z.string(),
        systems: z.array(
          z.object({
            system: z.string(),
            tasks: z.array(
              z.object({
                key: z.string(),
                kind: taskKindSchema,
                state: taskStateSchema,
                ended_at: timeSchema.nullable(),
                note: z.string().nullable(),
              }),
            ),
            counts: z.record(z.string(), z.int()),
            effects: effectsSchema.optional(),
            verified_at: timeSchema
              .nullable()
              .describe(
                'When the system was read for the last time and nothing was found that had to go; null: nobody read it',
              ),
            assurance: z
              .enum(['verified', 'answered', 'attested', 'none'])
              .describe(
                'How sure it is: verified: Habeas read it again; answered: the system said so; attested: a person of the team said so; none: nothing was done',
              ),
          }),
        ),
        retained: z.array(retainedSchema.extend({ system: z.string() })),
        residuals: z.array(residualSchema.extend({ system: z.string() })),
        audit_leaf_hashes: z.array(z.string()),
      })
      .describe('Canonical JSON (RFC 8785) of this object is what is signed'),
    ...signedShape,
  })
  .meta({ id: 'Receipt' });

export type RequestFilter = z.output<typeof requestFilterSchema>;
export type RequestState = z.output<typeof requestStateSchema>;
export type TaskKind = z.output<typeof taskKindSchema>;
export type TaskState = z.output<typeof taskStateSchema>;
export type ProcedureView = z.output<typeof procedureSchema>;
export type DeadlineView = z.output<typeof deadlineSchema>;
export type EvidenceView = z.output<typeof evidenceSchema>;
export type CreateRequest = z.output<typeof createRequestSchema>;
export type RequestView = z.output<typeof requestSchema>;
export type TaskView = z.output<typeof taskSchema>;
export type PlanView = z.output<typeof planSchema>;
export type TicketState = z.output<typeof ticketStateSchema>;
export type TicketView = z.output<typeof ticketSchema>;
export type TicketDetail = z.output<typeof ticketDetailSchema>;
export type ReceiptView = z.output<typeof receiptSchema>;
