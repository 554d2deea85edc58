import { readFileSync } from 'node:fs';
import type { api } from '@habeas/contract';
import { canonicalJson } from '../audit/index.ts';
import {
  formatPlace,
  fromZodError,
  HabeasError,
  parseYamlWithPlaces,
  sha256Hex,
} from '../foundation/index.ts';
import type { DeadlineRules } from './deadline.ts';
import { lintRules, type PolicyFinding } from './lint-rules.ts';
import { type PolicyFile, policySchema } from './policy-schema.ts';
import { readRules } from './read-rules.ts';
import type { Rule } from './rule.ts';

/** What the organization decided: who waits, who approves, what is kept. */
export interface Policy {
  /** SHA-256 of the rules in canonical form; a plan is frozen with it. */
  readonly version: string;
  /** In the order of the file. */
  readonly rules: readonly Rule[];
  readonly access: { readonly packageExpiresMilliseconds: number };
  /** By which law and calendar the terms of a request are counted. (Default of `regime`: the policy's) */
  deadlinesOf(regime?: api.Regime): DeadlineRules;
  readonly defaultRegime: api.Regime;
  readonly defaultSubjectKind: api.SubjectKind;
  /** Identity types that point at a whole tenant, such as a customer's account with all of its people. */
  readonly tenantIdentities: readonly string[];
  readonly forgetAfterMilliseconds: number;
  /** What is doubtful in the file; nothing that is wrong gets so far. */
  readonly warnings: readonly PolicyFinding[];
}

/** Parses a policy. Throws POLICY_INVALID with one line per mistake, each with its place. `now` decides which duties are over. */
export function parsePolicy(text: string, file: string, now: Date = new Date()): Policy {
  const { value, placeOf } = parseYamlWithPlaces(text, file, 'POLICY_INVALID');
  const result = policySchema.safeParse(value ?? {});
  if (!result.success) throw fromZodError(result.error, { code: 'POLICY_INVALID', placeOf });
  const source = result.data;
  const ambiguous = (source.rules ?? []).flatMap((rule, index) =>
    [rule.allow, rule.mask, rule.soft_delete, rule.keep].filter((part) => part !== undefined).length > 1
      ? [
          `${formatPlace(placeOf(['rules', index]))}: rules[${index}]: give one of allow, mask, soft_delete and keep`,
        ]
      : [],
  );
  const rules = readRules(source, placeOf, givenKeys(value));
  const findings = lintRules(rules, now);
  const mistakes = findings.filter(({ severity }) => severity === 'error');
  const details = [
    ...ambiguous,
    ...mistakes.map(({ place, message }) => `${formatPlace(place)}: ${message}`),
  ];
  if (details.length > 0) {
    const [first] = mistakes;
    throw new HabeasError('POLICY_INVALID', details.join('\n'), { details, place: first?.place ?? { file } });
  }
  return {
    version: sha256Hex(canonicalJson(source)),
    rules,
    access: { packageExpiresMilliseconds: source.access.package_expires },
    deadlinesOf: (regime) => deadlineRules(source, regime ?? source.deadlines.law),
    defaultRegime: source.deadlines.law,
    defaultSubjectKind: source.subject_kind ?? 'customer',
    tenantIdentities: source.tenant_identities ?? ['tenant_id'],
    forgetAfterMilliseconds: source.forget_after,
    warnings: findings,
  };
}

function deadlineRules({ deadlines }: PolicyFile, regime: api.Regime): DeadlineRules {
  const own = deadlines.regimes?.[regime];
  const { country, region } = own?.country === undefined ? deadlines : own;
  return {
    law: regime,
    country: country ?? null,
    region: region ?? null,
    timeZone: own?.time_zone ?? deadlines.time_zone,
  };
}

/** Whether the file itself says it, or the default does. */
function givenKeys(value: unknown) {
  const erasure =
    typeof value === 'object' && value !== null && 'erasure' in value ? value.erasure : undefined;
  const has = (key: string) => typeof erasure === 'object' && erasure !== null && key in erasure;
  return { wait: has('wait'), approval: has('approval') };
}

/**
 * Reads the policy file; without one, the built-in policy: no wait, no approval, packages for 7 days, nothing kept, GDPR. `name`: how
 * places in it are shown. (Default: the file)
 */
export function loadPolicy(file: string | undefined, now?: Date, name = file): Policy {
  return file === undefined || name === undefined
    ? parsePolicy('', 'built-in policy', now)
    : parsePolicy(readPolicy(file), name, now);
}

/** The text of a policy file. Throws POLICY_INVALID if it cannot be read. */
export function readPolicy(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new HabeasError(
      'POLICY_INVALID',
      `The policy file ${file} cannot be read. Correct \`policy\` in the configuration.`,
      { cause, place: { file } },
    );
  }
}
