import * as z from 'zod';
import {
  fieldChangesSchema,
  identitySchema,
  languageSchema,
  purposeSchema,
  rightSchema,
  timeSchema,
  wordsSchema,
} from './common.ts';
import { regimeSchema, subjectKindSchema } from './policy.ts';

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

export const reasonSchema = z
  .strictObject({
    reason: wordsSchema.describe('Kept in the request; write no personal data'),
  })
  .meta({ id: 'Reason' });

export type RequestState = z.output<typeof requestStateSchema>;
export type CreateRequest = z.output<typeof createRequestSchema>;
export type RequestView = z.output<typeof requestSchema>;
