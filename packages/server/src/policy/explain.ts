import type { api } from '@habeas/contract';
import { type Decided, decideData, decideProcedure, fittingRules } from './decide.ts';
import type { Policy } from './policy.ts';
import { type RequestCase, type Rule, specificity } from './rule.ts';

/** What a policy says of a case, which rule says each part, and which other rules fit. Pure. */
export function explainPolicy(
  policy: Policy,
  ask: {
    readonly right: api.Right;
    /** Only what holds for the request as a whole without it. */
    readonly category?: string | undefined;
    readonly regime?: api.Regime | undefined;
    readonly subjectKind?: api.SubjectKind | undefined;
    readonly now: Date;
  },
): api.PolicyExplanation {
  const request = caseOf(policy, ask);
  const category = ask.category ?? null;
  const procedure = decideProcedure(policy.rules, request);
  return {
    policy_version: policy.version,
    regime: request.regime,
    right: request.right,
    subject_kind: request.subjectKind,
    category,
    data: category === null ? null : dataOf(policy, { request, category, now: ask.now }),
    wait_seconds: part(procedure.waitMilliseconds, (milliseconds) => Math.ceil(milliseconds / 1_000)),
    approval: part(procedure.approval, (value) => value),
    approvers: part(procedure.approvers, (value) => [...value]),
    four_eyes_above: part(procedure.fourEyesAbove, (value) => value),
    portable: part(procedure.portable, (value) => value),
    owner: part(procedure.owner, (value) => value),
    considered: fittingRules(policy.rules, request, category).map((rule) => ({
      rule: rule.name,
      line: rule.place.line ?? null,
      specificity: inWords(rule),
    })),
  };
}

/** The case of a request that may leave its law and its kind of person to the policy. */
export function caseOf(
  policy: Pick<Policy, 'defaultRegime' | 'defaultSubjectKind'>,
  ask: {
    readonly right: api.Right;
    readonly regime?: api.Regime | undefined;
    readonly subjectKind?: api.SubjectKind | undefined;
  },
): RequestCase {
  return {
    right: ask.right,
    regime: ask.regime ?? policy.defaultRegime,
    subjectKind: ask.subjectKind ?? policy.defaultSubjectKind,
  };
}

function dataOf(
  policy: Policy,
  of: { readonly request: RequestCase; readonly category: string; readonly now: Date },
): NonNullable<api.PolicyExplanation['data']> {
  const { value, rule } = decideData({ rules: policy.rules, ...of });
  const kept = value.action === 'keep' ? value : undefined;
  return {
    action: value.action,
    mask: value.action === 'mask' ? value.mask : null,
    values: value.action === 'soft-delete' ? value.values : null,
    justification: kept?.justification ?? null,
    reason: kept?.reason ?? null,
    legal_basis: kept?.legalBasis ?? null,
    until: kept?.until ?? null,
    decided_by: decidedBy(rule),
  };
}

function part<Value, Shown>({ value, rule }: Decided<Value>, show: (value: Value) => Shown) {
  return { value: show(value), decided_by: decidedBy(rule) };
}

function decidedBy(rule: Rule | undefined) {
  return {
    rule: rule?.name ?? 'default',
    file: rule?.place.file ?? 'built-in policy',
    line: rule?.place.line ?? null,
    column: rule?.place.column ?? null,
  };
}

function inWords(rule: Rule): string {
  const [depth = 0, kind, regime, right] = specificity(rule);
  const named = [
    depth === 0 ? [] : [`category (${depth} deep)`],
    kind === 1 ? ['subject kind'] : [],
    regime === 1 ? ['regime'] : [],
    right === 1 ? ['right'] : [],
  ].flat();
  return named.length === 0 ? 'everything' : named.join(', ');
}
