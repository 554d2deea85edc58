import * as z from 'zod';
import { rightSchema } from './common.ts';

/** What a portability hands over, by where the values are from (GDPR article 20; WP242). */
export const portableSchema = z.enum(['provided', 'provided-and-observed', 'everything']);

/** The laws that a request can be under; the server counts their terms (docs/deadlines.md lists them). */
export const regimeSchema = z
  .enum([
    'gdpr',
    'uk-gdpr',
    'ccpa',
    'lgpd',
    'pipeda',
    'quebec-25',
    'us-states',
    'us-va',
    'us-co',
    'us-ct',
    'us-ut',
    'us-tx',
    'us-fl',
    'us-or',
    'us-mt',
    'us-ia',
    'us-de',
    'us-nh',
    'us-nj',
    'us-ne',
    'us-tn',
    'us-mn',
    'us-md',
    'us-in',
    'us-ky',
    'us-ri',
  ])
  .describe('The law under which the request is answered; `ccpa` is the CCPA as amended by the CPRA')
  .meta({ id: 'Regime' });

export const subjectKindSchema = z
  .enum(['customer', 'employee', 'contractor', 'applicant', 'processor-customer'])
  .describe(
    'What the person is to the organization; `processor-customer`: a customer of whom it processes data for',
  )
  .meta({ id: 'SubjectKind' });

export const dataCategorySchema = z
  .string()
  .max(200)
  .regex(/^[a-z_]+(\.[a-z_]+)*$/, 'a data category such as user.financial');

export const maskSchema = z
  .discriminatedUnion('strategy', [
    z.object({ strategy: z.literal('null') }),
    z.object({ strategy: z.literal('fixed'), value: z.string() }),
    z.object({ strategy: z.literal('hash') }),
    z.object({ strategy: z.literal('random-email') }),
  ])
  .meta({ id: 'Mask' });

export const explainPolicyQuerySchema = z.object({
  right: rightSchema,
  category: dataCategorySchema.optional().describe('(Default: only what holds for the request as a whole)'),
  regime: regimeSchema.optional().describe("(Default: the policy's)"),
  subject_kind: subjectKindSchema.optional().describe("(Default: the policy's)"),
});

const decidedBy = z.object({
  rule: z
    .string()
    .describe('What decides: a rule by its name or number, an older key of the file, or the default'),
  file: z.string(),
  line: z.int().nullable(),
  column: z.int().nullable(),
});

export const policyExplanationSchema = z
  .object({
    policy_version: z.string(),
    regime: regimeSchema,
    right: rightSchema,
    subject_kind: subjectKindSchema,
    category: z.string().nullable(),
    data: z
      .object({
        action: z.enum(['allow', 'mask', 'soft-delete', 'keep']),
        mask: maskSchema.nullable(),
        values: z
          .enum(['masked', 'left'])
          .nullable()
          .describe('Of a soft deletion: what becomes of the values in the row'),
        justification: z.string().nullable().describe('IRI of the W3C Data Privacy Vocabulary'),
        reason: z.string().nullable(),
        legal_basis: z.string().nullable(),
        until: z.string().nullable(),
        decided_by: decidedBy,
      })
      .nullable()
      .describe('What is done with data of the category; null without one'),
    wait_seconds: z.object({ value: z.int(), decided_by: decidedBy }),
    approval: z.object({ value: z.enum(['none', 'required']), decided_by: decidedBy }),
    approvers: z
      .object({ value: z.array(z.string()), decided_by: decidedBy })
      .describe('Who may approve, as the audit log names them; empty: whoever may decide about requests'),
    four_eyes_above: z
      .object({ value: z.int().nullable(), decided_by: decidedBy })
      .describe('With more rows found than this, two different people approve before anything is destroyed'),
    portable: z
      .object({ value: portableSchema, decided_by: decidedBy })
      .describe('What a portability hands over, by where the values are from'),
    owner: z
      .object({ value: z.string().nullable(), decided_by: decidedBy })
      .describe('The team that answers for the request'),
    considered: z
      .array(z.object({ rule: z.string(), line: z.int().nullable(), specificity: z.string() }))
      .describe('Every rule that fits, the most specific first'),
  })
  .meta({ id: 'PolicyExplanation' });

export const policyFindingSchema = z
  .object({
    severity: z.enum(['error', 'warning']),
    message: z.string(),
    file: z.string(),
    line: z.int().nullable(),
    column: z.int().nullable(),
  })
  .meta({ id: 'PolicyFinding' });

export const lintPolicySchema = z
  .strictObject({ text: z.string().max(100_000).describe('A policy file, as YAML') })
  .meta({ id: 'LintPolicy' });

export const policyReportSchema = z
  .object({
    version: z.string().nullable().describe('SHA-256 of the rules; null if they cannot be used'),
    rules: z.int(),
    findings: z.array(policyFindingSchema),
  })
  .meta({ id: 'PolicyReport' });

export const policySchema = z
  .object({
    version: z.string().describe('SHA-256 of the rules in canonical form; a plan is frozen with it'),
    default_regime: regimeSchema,
    default_subject_kind: subjectKindSchema,
    rules: z.int(),
    findings: z.array(policyFindingSchema).describe('What is doubtful in it'),
  })
  .meta({ id: 'Policy' });

export type Regime = z.output<typeof regimeSchema>;
export type SubjectKind = z.output<typeof subjectKindSchema>;
export type PolicyExplanation = z.output<typeof policyExplanationSchema>;
export type PolicyFinding = z.output<typeof policyFindingSchema>;
export type PolicyReport = z.output<typeof policyReportSchema>;
export type PolicyView = z.output<typeof policySchema>;
export type Portable = z.output<typeof portableSchema>;
