import { api } from '@habeas/contract';
import * as z from 'zod';
import { durationToMilliseconds } from '../foundation/index.ts';
import { mistakeInPlace, type Place } from './days-off.ts';
import { nonFulfilmentIri } from './justifications.ts';
import { LAW_IDS } from './laws.ts';

const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/, 'a duration such as 0s, 12h or 30d')
  .transform(durationToMilliseconds)
  .refine((milliseconds) => milliseconds <= 36_500 * 86_400_000, 'at most 36500d');

const timeZone = z.string().refine(isTimeZone, 'a time zone such as Europe/Berlin');

/** Where days are counted when a law other than `deadlines.law` says when an answer is due. */
const calendar = z
  .strictObject({
    country: z.string().optional(),
    region: z.string().optional(),
    time_zone: timeZone.optional(),
  })
  .superRefine(refusePlace);

const deadlines = z
  .strictObject({
    /** The law whose terms count, and the regime of a request that names none. */
    law: z.enum(LAW_IDS).default('gdpr'),
    /** ISO 3166-1 code of the country whose public holidays count; without it, only weekends are not worked. */
    country: z.string().optional(),
    /** ISO 3166-2 code of its part, without the country. */
    region: z.string().optional(),
    /** IANA name of the zone whose days count. */
    time_zone: timeZone.default('UTC'),
    /** By regime: the calendar of requests under another law. (Default: that of `deadlines`) */
    regimes: z.partialRecord(z.enum(LAW_IDS), calendar).optional(),
  })
  .superRefine(refusePlace);

const category = z.string().regex(/^[a-z_]+(\.[a-z_]+)*$/, 'a data category such as user.financial');

/** One value or several. */
function some<Item extends z.ZodType>(item: Item) {
  return z.union([item, z.array(item).min(1)]);
}

const STRATEGIES = ['null', 'hash', 'random-email'] as const;

const mask = z.union(
  [z.enum(STRATEGIES), z.strictObject({ strategy: z.literal('fixed'), value: z.string() })],
  '`null`, `hash`, `random-email`, or `{ strategy: fixed, value: … }`',
);

const keep = z.strictObject({
  /** A justification of the Data Privacy Vocabulary, by its name or its IRI. */
  justification: z
    .string()
    .refine(
      (text) => nonFulfilmentIri(text) !== undefined,
      'a justification for not doing something of https://w3id.org/dpv/justifications, such as LegallyExempted',
    ),
  /** Why, in words that the person may read. (Default: the justification's name) */
  reason: z.string().min(1).max(500).optional(),
  legal_basis: z.string().min(1).max(500).optional(),
  /** RFC 3339 date on which the duty to keep ends, if it is the same for all. */
  until: z.iso.date().optional(),
});

const rule = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens')
    .optional(),
  /** Which requests and which data it is about; what is left out is about all. */
  when: z
    .strictObject({
      regime: some(z.enum(LAW_IDS)).optional(),
      right: some(api.rightSchema).optional(),
      subject_kind: some(api.subjectKindSchema).optional(),
      /** The category and all below it. */
      category: category.optional(),
    })
    .prefault({}),
  /** Data: what the right asks for is done, as an exception to a rule that is less specific. */
  allow: z.literal(true).optional(),
  /** Data: the row stays and the value is replaced. */
  mask: mask.optional(),
  /** Data: the row stays, marked as deleted, where its store can do so; `left`: with its values. */
  soft_delete: z.enum(['masked', 'left']).optional(),
  /** Data: it stays. */
  keep: keep.optional(),
  /** Requests: how long one waits, and can be cancelled, before it starts. */
  wait: duration.optional(),
  /** Requests: `required`: a person approves each before it starts. */
  approval: z.enum(['none', 'required']).optional(),
  /** Requests: who may approve, as the audit log names them, such as `key:key_…`. */
  approvers: z.array(z.string().min(1).max(200)).min(1).optional(),
  /**
   * Requests: two different people approve before anything is destroyed if more rows than this were found; `never`: as an exception
   * to a rule that is less specific.
   */
  four_eyes_above: z.union([z.int().min(0), z.literal('never')], 'a number of rows, or `never`').optional(),
  /** Requests: what a portability hands over, by where the values are from. */
  portable: z.enum(['provided', 'provided-and-observed', 'everything']).optional(),
  /** Requests: the team that answers for them, and is told when they get late. */
  owner: z.string().min(1).max(200).optional(),
});

/** A policy file, as a person writes it; docs/policy.md lists exactly these keys. */
export const policySchema = z.strictObject({
  erasure: z
    .strictObject({
      /** How long an erasure waits, and can be cancelled, before it starts. */
      wait: duration.prefault('0s'),
      /** `required`: a person approves each erasure before it starts. */
      approval: z.enum(['none', 'required']).default('none'),
    })
    .prefault({}),
  access: z
    .strictObject({
      /** How long the package can be fetched before it is destroyed. */
      package_expires: duration.prefault('7d'),
    })
    .prefault({}),
  /** When an answer is due. */
  deadlines: deadlines.prefault({}),
  /** How long after its end Habeas forgets whom a request was about. Counts, states and hashes stay. */
  forget_after: duration.prefault('30d'),
  /** What a person is to the organization when a request does not say. (Default: customer) */
  subject_kind: api.subjectKindSchema.optional(),
  /** Identity types that point at a whole tenant and not at a person: see docs/close-an-account.md. (Default: tenant_id) */
  tenant_identities: z.array(z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'a type of identities')).optional(),
  /** Data that erasure leaves, by category; `user.financial` also covers `user.financial.bank_account`. */
  keep: z
    .array(
      z.strictObject({
        category,
        reason: z.string().min(1),
        legal_basis: z.string().optional(),
        /** RFC 3339 date on which the duty to keep ends, if it is the same for all. */
        until: z.iso.date().optional(),
      }),
    )
    .default([]),
  /** The most specific rule that fits a case decides. */
  rules: z.array(rule).max(1_000).optional(),
});

export type PolicyFile = z.output<typeof policySchema>;
export type RuleSource = NonNullable<PolicyFile['rules']>[number];

function refusePlace(
  rules: { readonly country?: string | undefined; readonly region?: string | undefined },
  context: z.RefinementCtx,
): void {
  const place: Place = { country: rules.country ?? null, region: rules.region ?? null };
  const mistake = mistakeInPlace(place);
  if (mistake !== undefined)
    context.addIssue({ code: 'custom', path: [mistake.part], message: mistake.message });
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
