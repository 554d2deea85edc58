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

const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/, 'a duration such as 0s, 12h or 30d')
  .transform(durationToMilliseconds)
  .refine((milliseconds) => milliseconds <= 36_500 * 86_400_000, 'at most 36500d');

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
    forgetAfterMilliseconds: rules.forget_after,
    keep: rules.keep.map((rule) => ({
      category: rule.category,
      reason: rule.reason,
      legalBasis: rule.legal_basis ?? null,
      until: rule.until ?? null,
    })),
  };
}

/** Reads the policy file; without one, the built-in policy: no wait, no approval, packages for 7 days, nothing kept. */
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
