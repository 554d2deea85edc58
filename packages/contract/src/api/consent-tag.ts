import * as z from 'zod';
import { consentOutcomeSchema, consentViewSchema, noticeSeenSchema, purposeViewSchema } from './consent.ts';

/** What a page may be told without a key, and what a browser may say: the contract of the consent tag. */

const organizationSchema = z
  .string()
  .max(63)
  .optional()
  .describe('(Default: the organization of the server)');

export const consentNoticeQuerySchema = z.strictObject({
  organization: organizationSchema,
  language: z
    .string()
    .max(35)
    .optional()
    .describe('BCP 47, such as `de-AT` (Default: what `Accept-Language` likes best of what there is)'),
  region: z
    .string()
    .max(6)
    .optional()
    .describe(
      'Where the person is: ISO 3166, such as `DE` or `US-CA` (Default: unknown, and people are asked)',
    ),
});

const gpcSchema = z
  .object({
    applies: z.boolean().describe('Whether the call had `Sec-GPC: 1`, or its body `gpc`'),
    purposes: z.array(z.string()).describe('Codes of the purposes that Global Privacy Control opts out of'),
  })
  .meta({ id: 'ConsentGpc' });

export const consentNoticeSchema = z
  .object({
    organization: z.string(),
    version: z.string().describe('Say it in each signal that follows from this notice'),
    language: z.string().describe('The language of the texts; say it in each signal'),
    languages: z.array(z.string()).describe('All that there are'),
    texts: z.record(z.string(), z.string()).describe('By the names of `notice.texts` in purposes.yaml'),
    jurisdiction: z.object({
      code: z.string().describe('One of purposes.yaml, or `other`'),
      region: z.string().nullable(),
      show: z
        .enum(['banner', 'link', 'nothing'])
        .describe('Whether people are asked, find a link to opt out, or see nothing'),
    }),
    gpc: gpcSchema,
    purposes: z.array(
      purposeViewSchema.pick({ code: true, legal_basis: true, gpc: true, allowed_by_default: true }).extend({
        name: z
          .string()
          .describe('In the language of the answer, or else in another one that it is there in'),
        description: z.string().nullable(),
        ask_again_days: z.int().nullable().describe('After so many days people are asked again'),
        validity_days: z
          .int()
          .nullable()
          .describe('After so many days an agreement counts no longer, as if nothing had been said'),
      }),
    ),
  })
  .meta({ id: 'ConsentNotice' });
export type ConsentNotice = z.output<typeof consentNoticeSchema>;

/** What people were shown under a version. */
export const consentNoticeTextsSchema = z
  .object({
    version: z.string(),
    items: z
      .array(
        z.object({
          since: z.string().describe('When this server first had it'),
          languages: z.array(z.string()),
          texts: z.record(z.string(), z.record(z.string(), z.string())).describe('Language → texts'),
          purposes: z.array(
            purposeViewSchema
              .pick({ code: true, name: true, legal_basis: true, data_categories: true, gpc: true })
              .extend({
                description: z.record(z.string(), z.string()).describe('Language → what people read'),
              }),
          ),
        }),
      )
      .describe('One, unless texts were changed and the version was not'),
  })
  .meta({ id: 'ConsentNoticeTexts' });
export type ConsentNoticeTexts = z.output<typeof consentNoticeTextsSchema>;

/** W3C Global Privacy Control § 4: how an organization says that it heeds it. */
export const gpcSupportSchema = z
  .object({ gpc: z.boolean(), lastUpdate: z.string().describe('A date') })
  .meta({ id: 'GpcSupport' });

/** What somebody chose in a browser or an app. */
export const tagSignalSchema = z
  .strictObject({
    event_id: z
      .string()
      .regex(/^[\x21-\x7e]{1,100}$/)
      .describe('New for each choice, such as a UUID; kept with the choice until it was taken'),
    said_at: z.iso.datetime({ offset: true }).describe('When it was said, not when it is sent'),
    choices: z.record(z.string().max(63), z.boolean()).describe('Code of a purpose → granted or refused'),
    source: z.enum(['tag', 'sdk']).default('tag'),
    notice: noticeSeenSchema.optional(),
  })
  .meta({ id: 'TagSignal' });

export const tagChoicesSchema = z
  .strictObject({
    organization: organizationSchema,
    anonymous_id: z
      .string()
      .regex(/^[A-Za-z0-9_-]{16,64}$/)
      .optional()
      .describe(
        'Made at random in the browser and kept there, such as a UUID: who knows it can choose for it',
      ),
    identity_token: z
      .string()
      .max(4_000)
      .optional()
      .describe('From the back end of the organization, for somebody who signed in: a JWT signed with HS256'),
    gpc: z
      .boolean()
      .default(false)
      .describe('`navigator.globalPrivacyControl`, where the header `Sec-GPC` is not sent'),
    gpc_since: z.iso
      .datetime({ offset: true })
      .optional()
      .describe('When it was first seen there: what the person chose later stands (Default: now)'),
    signals: z
      .array(tagSignalSchema)
      .max(20)
      .default([])
      .describe('New choices, and those kept in the browser that nobody took yet; none: only ask'),
  })
  .refine((body) => body.anonymous_id !== undefined || body.identity_token !== undefined, {
    error: 'needs anonymous_id, identity_token or both',
  })
  .meta({ id: 'TagChoices' });
export type TagChoices = z.output<typeof tagChoicesSchema>;

export const tagChoicesAnswerSchema = consentViewSchema
  .extend({
    organization: z.string(),
    signed_in: z.boolean().describe('Whether these are the choices of the person of `identity_token`'),
    gpc: gpcSchema,
    outcomes: z
      .array(consentOutcomeSchema)
      .describe('One for each signal, in order: forget what is not to be sent again, which is all of them'),
  })
  .meta({ id: 'TagChoicesAnswer' });
export type TagChoicesAnswer = z.output<typeof tagChoicesAnswerSchema>;
