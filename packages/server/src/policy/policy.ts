import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { canonicalJson } from '../audit/index.ts';
import type { KeepRule } from '../catalog/index.ts';
import {
  durationToMilliseconds,
  fromZodError,
  HabeasError,
  parseYamlWithPlaces,
  sha256Hex,
} from '../foundation/index.ts';
import { mistakeInPlace } from './days-off.ts';
import type { DeadlineRules } from './deadline.ts';
import { LAW_IDS } from './laws.ts';

const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/, 'a duration such as 0s, 12h or 30d')
  .transform(durationToMilliseconds)
  .refine((milliseconds) => milliseconds <= 36_500 * 86_400_000, 'at most 36500d');

const deadlines = z
  .strictObject({
    /** The law whose terms count. */
    law: z.enum(LAW_IDS).default('gdpr'),
    /** ISO 3166-1 code of the country whose public holidays count; without it, only weekends are not worked. */
    country: z.string().optional(),
    /** ISO 3166-2 code of its part, without the country. */
    region: z.string().optional(),
    /** IANA name of the zone whose days count. */
    time_zone: z.string().refine(isTimeZone, 'a time zone such as Europe/Berlin').default('UTC'),
  })
  .superRefine((rules, context) => {
    const mistake = mistakeInPlace({ country: rules.country ?? null, region: rules.region ?? null });
    if (mistake !== undefined)
      context.addIssue({ code: 'custom', path: [mistake.part], message: mistake.message });
  });

/** A policy file, as a person writes it; docs/requests.md lists exactly these keys. */
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
  /** Data that erasure leaves, by category; `user.financial` also covers `user.financial.bank_account`. */
  keep: z
    .array(
      z.strictObject({
        category: z.string().regex(/^[a-z_]+(\.[a-z_]+)*$/, 'a data category such as user.financial'),
        reason: z.string().min(1),
        legal_basis: z.string().optional(),
        /** RFC 3339 date on which the duty to keep ends, if it is the same for all. */
        until: z.iso.date().optional(),
      }),
    )
    .default([]),
});

/** What the organization decided: who waits, who approves, what is kept. */
export interface Policy {
  /** SHA-256 of the rules in canonical form; a plan is frozen with it. */
  readonly version: string;
  readonly erasure: { readonly waitMilliseconds: number; readonly approval: 'none' | 'required' };
  readonly access: { readonly packageExpiresMilliseconds: number };
  readonly deadlines: DeadlineRules;
  readonly forgetAfterMilliseconds: number;
  readonly keep: readonly KeepRule[];
}

/** Parses a policy. Throws POLICY_INVALID with one line per mistake, each with its place. */
export function parsePolicy(text: string, file: string): Policy {
  const { value, placeOf } = parseYamlWithPlaces(text, file, 'POLICY_INVALID');
  const result = policySchema.safeParse(value ?? {});
  if (!result.success) throw fromZodError(result.error, { code: 'POLICY_INVALID', placeOf });
  const rules = result.data;
  return {
    version: sha256Hex(canonicalJson(rules)),
    erasure: { waitMilliseconds: rules.erasure.wait, approval: rules.erasure.approval },
    access: { packageExpiresMilliseconds: rules.access.package_expires },
    deadlines: {
      law: rules.deadlines.law,
      country: rules.deadlines.country ?? null,
      region: rules.deadlines.region ?? null,
      timeZone: rules.deadlines.time_zone,
    },
    forgetAfterMilliseconds: rules.forget_after,
    keep: rules.keep.map((rule) => ({
      category: rule.category,
      reason: rule.reason,
      legalBasis: rule.legal_basis ?? null,
      until: rule.until ?? null,
    })),
  };
}

/** Reads the policy file; without one, the built-in policy: no wait, no approval, packages for 7 days, nothing kept, GDPR. */
export function loadPolicy(file: string | undefined): Policy {
  if (file === undefined) return parsePolicy('', 'built-in policy');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new HabeasError(
      'POLICY_INVALID',
      `The policy file ${file} cannot be read. Correct \`policy\` in the configuration.`,
      {
        cause,
        place: { file },
      },
    );
  }
  return parsePolicy(text, file);
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
