import * as z from 'zod';
import { identitySchema, isStorable, NOT_STORABLE } from './common.ts';

const codeSchema = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/);

/** What data may be used for, as the organization describes it. */
export const purposeViewSchema = z
  .object({
    code: codeSchema,
    name: z.record(z.string(), z.string()).describe('Language → what people read'),
    legal_basis: z.enum(['consent', 'opt_out', 'legitimate_interests', 'contract', 'legal_obligation']),
    data_categories: z.array(z.string()),
    dpv: z.string().nullable().describe('The purpose in the Data Privacy Vocabulary'),
    gpc: z.boolean().describe('Whether Global Privacy Control opts out of it'),
    allowed_by_default: z.boolean().describe('Whether it is allowed for people of whom nothing is known'),
  })
  .meta({ id: 'Purpose' });
export type PurposeView = z.output<typeof purposeViewSchema>;

export const purposeListSchema = z.object({ items: z.array(purposeViewSchema) }).meta({ id: 'PurposeList' });

/** What the person was shown: without it nobody can prove what they agreed to. */
export const noticeSeenSchema = z
  .strictObject({
    version: z.string().min(1).max(100).refine(isStorable, NOT_STORABLE),
    language: z.string().min(1).max(35).refine(isStorable, NOT_STORABLE),
    variant: z
      .string()
      .max(100)
      .refine(isStorable, NOT_STORABLE)
      .default('')
      .describe('Which interface asked, such as `banner`'),
  })
  .describe('What the person was shown: without it nobody can prove what they agreed to');

/** One statement of consent. */
export const consentSignalSchema = z
  .strictObject({
    event_id: z
      .string()
      .regex(/^[\x21-\x7e]{1,100}$/)
      .describe('Chosen by the sender, new for each signal: sent again, it changes nothing'),
    identity: identitySchema,
    said_at: z.iso.datetime({ offset: true }).describe('When it was said, not when it is sent'),
    choices: z
      .record(codeSchema, z.boolean())
      .default({})
      .describe('Code of a purpose → granted or refused; goes before what a string says'),
    tcf: z
      .string()
      .max(20_000)
      .optional()
      .describe('A string of the Transparency and Consent Framework, for purposes that name its fields'),
    gpp: z
      .string()
      .max(20_000)
      .optional()
      .describe('A string of the Global Privacy Platform, for purposes that name its fields'),
    source: z.enum(['tag', 'api', 'sdk', 'file', 'gpc', 'tcf', 'gpp', 'request', 'portal']).default('api'),
    notice: noticeSeenSchema.optional(),
  })
  .meta({ id: 'ConsentSignal' });
export type ConsentSignal = z.output<typeof consentSignalSchema>;

export const recordConsentSchema = z
  .strictObject({ signals: z.array(consentSignalSchema).min(1).max(1_000) })
  .meta({ id: 'RecordConsent' });

export const consentOutcomeSchema = z
  .object({
    event_id: z.string(),
    state: z
      .enum(['stored', 'repeated', 'refused'])
      .describe('repeated: it was here before, and says the same'),
    code: z
      .enum([
        'unknown-purpose',
        'future',
        'event-id-reused',
        'nothing-said',
        'blank-identity',
        'malformed-tcf',
        'malformed-gpp',
        'unknown-gpp-section',
      ])
      .nullable(),
    reason: z.string().nullable(),
  })
  .meta({ id: 'ConsentOutcome' });
export type ConsentOutcome = z.output<typeof consentOutcomeSchema>;

export const consentOutcomesSchema = z
  .object({ items: z.array(consentOutcomeSchema).describe('One for each signal, in the order of the call') })
  .meta({ id: 'ConsentOutcomes' });

export const readConsentSchema = z
  .strictObject({
    identity: identitySchema,
    as_of: z.iso.datetime({ offset: true }).optional().describe('(Default: now)'),
  })
  .meta({ id: 'ReadConsent' });

export const consentViewSchema = z
  .object({
    as_of: z.string(),
    purposes: z.array(
      z.object({
        code: codeSchema,
        said: z
          .boolean()
          .nullable()
          .describe('What the person said last; null: nothing, or they agreed and it has expired'),
        allowed: z.boolean().describe('What follows: what was said, or else what the legal basis allows'),
        said_at: z
          .string()
          .optional()
          .describe('When they said it; of purposes with `validity` or `ask_again`, for which it matters'),
        ask_again: z
          .literal(true)
          .optional()
          .describe('What they said last is too old: ask again. Missing: it is not'),
      }),
    ),
    strings: z
      .object({
        tcf: z.string().optional().describe('Transparency and Consent Framework 2.3'),
        gpp: z.string().optional().describe('Global Privacy Platform, national section of the United States'),
      })
      .optional()
      .describe('The same as strings; each where the purposes name its fields'),
  })
  .meta({ id: 'Consent' });
export type ConsentView = z.output<typeof consentViewSchema>;
