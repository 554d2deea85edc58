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
import { isMailAddress, mailAddressSchema } from './mail-address.ts';
import { requestStateSchema } from './requests.ts';

/** An identity that somebody claims to have. */
const claimedIdentitySchema = identitySchema.refine(
  ({ type, value }) => type !== 'email' || isMailAddress(value),
  { path: ['value'], error: 'a mail address' },
);

export const askSchema = z
  .strictObject({
    right: rightSchema,
    identities: z
      .array(claimedIdentitySchema)
      .max(20)
      .default([])
      .describe('Who asks. Each address of type `email` gets a code'),
    changes: fieldChangesSchema.optional().describe('Of a rectification'),
    purposes: z.array(purposeSchema).max(50).optional().describe('Of an objection'),
    language: languageSchema.optional().describe('(Default: from `Accept-Language`)'),
    agent: z
      .strictObject({
        name: wordsSchema.max(200),
        email: mailAddressSchema.describe('Gets a code too'),
        permission: z
          .base64()
          .max(96_000)
          .optional()
          .describe('A signed permission, such as a PDF, for an officer to look at'),
      })
      .optional()
      .describe('Who asks for another person. The person proves who they are all the same'),
  })
  .meta({ id: 'Ask' });

export const tokenSchema = z
  .string()
  .max(100)
  .describe(
    'From the answer to the request, or from the link in a mail. It resumes a request and proves nothing',
  );

const contactIdSchema = z.string().regex(/^c\d{1,2}$/);

export const resumeAskedSchema = z.strictObject({ token: tokenSchema }).meta({ id: 'ResumeAsked' });

export const sendCodeSchema = z
  .strictObject({ token: tokenSchema, contact: contactIdSchema })
  .meta({ id: 'SendCode' });

export const proveSchema = z
  .strictObject({
    token: tokenSchema,
    contact: contactIdSchema,
    code: z.string().regex(/^\d{8}$/),
  })
  .meta({ id: 'Prove' });

export const answerQuestionsSchema = z
  .strictObject({
    token: tokenSchema,
    answers: z
      .record(z.string().max(100), wordsSchema)
      .refine((answers) => Object.keys(answers).length <= 20),
  })
  .meta({ id: 'AnswerQuestions' });

export const questionSchema = z
  .object({ key: z.string().min(1).max(100), text: wordsSchema })
  .meta({ id: 'VerificationQuestion' });

export const checkSchema = z
  .enum(['codes', 'questions', 'officer'])
  .describe('codes: to each address; questions: of the organization; officer: a person looks at it')
  .meta({ id: 'VerificationCheck' });

const contactSchema = z.object({
  id: contactIdSchema,
  role: z.enum(['subject', 'agent']),
  proved: z.boolean(),
});

/** What whoever asks sees of their request. No identities: who holds the token need not be who they say. */
export const askedSchema = z
  .object({
    request_id: z.string(),
    right: rightSchema,
    state: requestStateSchema,
    received_at: timeSchema,
    due_at: timeSchema,
    expires_at: timeSchema.nullable().describe('By when it has to be proved who asks; null once it is'),
    missing: z.array(checkSchema).describe('What has to be passed still'),
    contacts: z.array(contactSchema).describe('Addresses, in the order in which they were given'),
    questions: z.array(questionSchema).describe('To be answered now'),
    merged_into: z
      .string()
      .nullable()
      .describe('The request of the same person for the same that was under way already'),
  })
  .meta({ id: 'Asked' });

export const newAskedSchema = askedSchema.extend({ token: tokenSchema }).meta({ id: 'NewAsked' });

export const signInStartSchema = z
  .object({ url: z.string().describe('Where the browser goes next') })
  .meta({ id: 'SignInStart' });

export const verificationSchema = z
  .object({
    request_id: z.string(),
    state: z.enum(['open', 'proved', 'ended']),
    required: z.array(checkSchema),
    missing: z.array(checkSchema),
    expires_at: timeSchema,
    signed_in: z.boolean(),
    contacts: z.array(contactSchema.extend({ codes_sent: z.int(), attempts: z.int() })),
    agent: z
      .object({ name: z.string(), email: z.string(), permission: z.string().nullable().describe('Base64') })
      .nullable(),
    merged_into: z.string().nullable(),
  })
  .describe('How far somebody got with proving who they are')
  .meta({ id: 'Verification' });

/** What the organization's back end says about somebody who asks. */
export const verificationAnswerSchema = z
  .discriminatedUnion('outcome', [
    z.strictObject({
      outcome: z.literal('ask'),
      questions: z.array(z.strictObject(questionSchema.shape)).min(1).max(20),
    }),
    z.strictObject({ outcome: z.literal('confirmed') }),
    z.strictObject({ outcome: z.literal('refused'), reason: wordsSchema.describe('Write no personal data') }),
  ])
  .meta({ id: 'VerificationAnswer' });

export const personMailSchema = z
  .object({
    id: z.string(),
    kind: z.enum([
      'code',
      'received',
      'verified',
      'started',
      'extended',
      'completed',
      'expiring',
      'rejected',
    ]),
    state: z
      .enum(['queued', 'sending', 'sent', 'refused', 'skipped', 'bounced'])
      .describe(
        'sent: the mail server took it; refused: it did not, for good; skipped: it was of no use any more, or too many were sent; bounced: it came back',
      ),
    attempts: z.int(),
    queued_at: timeSchema,
    ended_at: timeSchema.nullable(),
    status: z.string().nullable().describe('What the mail server said (RFC 3463), or why it was skipped'),
  })
  .describe('A mail to the person; its address is not here')
  .meta({ id: 'PersonMail' });

export const personMailListSchema = z
  .object({ items: z.array(personMailSchema) })
  .meta({ id: 'PersonMailList' });

export const bounceOutcomeSchema = z
  .object({
    outcome: z
      .enum(['recorded', 'no-failure', 'not-ours'])
      .describe(
        'no-failure: it says that a mail is late or arrived; not-ours: no bounce, or of another mail',
      ),
    request_id: z.string().nullable(),
  })
  .meta({ id: 'BounceOutcome' });

export type Ask = z.output<typeof askSchema>;
export type AskedView = z.output<typeof askedSchema>;
export type NewAskedView = z.output<typeof newAskedSchema>;
export type VerificationView = z.output<typeof verificationSchema>;
export type VerificationAnswer = z.output<typeof verificationAnswerSchema>;
export type VerificationQuestion = z.output<typeof questionSchema>;
export type PersonMailView = z.output<typeof personMailSchema>;
export type BounceOutcome = z.output<typeof bounceOutcomeSchema>;
