import * as z from 'zod';
import { fieldChangeSchema, purposeSchema, rightSchema } from './common.ts';
import { portableSchema, regimeSchema, subjectKindSchema } from './policy.ts';
import { taskKindSchema } from './tasks.ts';

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

export type ProcedureView = z.output<typeof procedureSchema>;
export type PlanView = z.output<typeof planSchema>;
