import { api } from '@habeas/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWithinCategory, ruleFor } from '../catalog/index.ts';
import { categoryRules, decideData, decideProcedure } from './decide.ts';
import { explainPolicy } from './explain.ts';
import { lintPolicy } from './lint-policy.ts';
import { lintRules } from './lint-rules.ts';
import { parsePolicy } from './policy.ts';
import { contradict, fits, type RequestCase, type Rule } from './rule.ts';

const NOW = new Date('2026-11-21T12:00:00Z');
const ERASURE: RequestCase = { regime: 'gdpr', right: 'erasure', subjectKind: 'customer' };

const policy = parsePolicy(
  `rules:
  - name: tax
    when: { right: erasure, category: user.financial }
    keep: { justification: LegalObligationImpaired, legal_basis: AO § 147, until: 2036-12-31 }
  - name: cards
    when: { category: user.financial.credit_card }
    allow: true
  - name: staff-pay
    when: { subject_kind: employee, category: user.financial }
    mask: hash
  - name: staff
    when: { subject_kind: [employee, contractor], right: erasure }
    approval: required
    approvers: ['key:a', 'key:b']
    wait: 14d
  - name: large
    when: { right: erasure }
    approvers: ['key:c']
    wait: 3d
  - name: california
    when: { regime: ccpa, right: erasure }
    wait: 0s
    owner: privacy-us
`,
  'policy.yaml',
  NOW,
);

describe('the most specific rule decides', () => {
  const data = (category: string, request: RequestCase = ERASURE) =>
    decideData({ rules: policy.rules, request, category, now: NOW });

  it.each([
    ['user.financial.bank_account', ERASURE, 'tax'],
    ['user.financial', ERASURE, 'tax'],
    ['user.financial.credit_card', ERASURE, 'cards'],
    ['user.financial', { ...ERASURE, subjectKind: 'employee' }, 'staff-pay'],
    ['user.financial.credit_card', { ...ERASURE, subjectKind: 'employee' }, 'cards'],
    ['user.contact', ERASURE, undefined],
    ['user.financially', ERASURE, undefined],
  ] as const)('about %s of %o: %s', (category, request, want) => {
    expect(data(category, request).rule?.name).toBe(want);
  });

  it('and each part of the procedure comes from the most specific rule that says it', () => {
    const procedure = decideProcedure(policy.rules, { ...ERASURE, subjectKind: 'employee', regime: 'ccpa' });
    expect(procedure.waitMilliseconds.rule?.name).toBe('staff');
    expect(procedure.approvers).toMatchObject({ value: ['key:a', 'key:b'], rule: { name: 'staff' } });
    expect(procedure.owner).toMatchObject({ value: 'privacy-us', rule: { name: 'california' } });
    expect(decideProcedure(policy.rules, { ...ERASURE, regime: 'ccpa' }).waitMilliseconds.value).toBe(0);
  });

  it('a duty to keep that is over leaves the decision to the next rule', () => {
    const later = new Date('2037-01-01T00:00:00Z');
    const rules = policy.rules;
    expect(decideData({ rules, request: ERASURE, category: 'user.financial', now: later }).value.action).toBe(
      'allow',
    );
    const lastDay = new Date('2036-12-31T23:00:00Z');
    expect(
      decideData({ rules, request: ERASURE, category: 'user.financial', now: lastDay }).value.action,
    ).toBe('keep');
  });

  it('and is explained with its place, what it overrules, and a reason that machines read', () => {
    const told = explainPolicy(policy, {
      right: 'erasure',
      category: 'user.financial.credit_card',
      subjectKind: 'employee',
      now: NOW,
    });
    expect(told.data).toMatchObject({
      action: 'allow',
      decided_by: { rule: 'cards', file: 'policy.yaml', line: 5 },
    });
    expect(told.considered.map(({ rule }) => rule)).toEqual(['cards', 'staff-pay', 'tax', 'staff', 'large']);
    expect(
      explainPolicy(policy, { right: 'erasure', category: 'user.financial', now: NOW }).data,
    ).toMatchObject({
      justification: 'https://w3id.org/dpv/justifications#LegalObligationImpaired',
      reason: 'Legal obligation impaired',
      legal_basis: 'AO § 147',
    });
  });
});

describe('lint', () => {
  const messages = (text: string) =>
    lintPolicy(text, 'p.yaml', NOW).findings.map(
      ({ severity, message, place }) => `${place.line}:${place.column} ${severity}: ${message}`,
    );

  it.each([
    ['rules:\n  - when: {right: access}\n    mask: hash', /^2:\d+ error: .*bear on erasure only/],
    ['rules:\n  - when: {category: user.name}', /2:\d+ error: .*decides nothing/],
    ['rules:\n  - when: {category: user.name}\n    wait: 3d', /2:\d+ error: .*whole request/],
    ['rules:\n  - keep: {justification: BecauseWeWant}', /2:12 error: .*dpv\/justifications/],
    ['rules:\n  - {allow: true, mask: hash}', /2:\d+ error: .*one of allow, mask, soft_delete and keep/],
    ['rules:\n  - when: {right: forgetting}\n    wait: 3d', /2:\d+ error/],
    ['rules:\n  - {name: a, wait: 3d}\n  - {name: a, owner: x}', /3:\d+ error: .*has this name/],
    ['rules:\n  - {wait: 3d}\n  - {wait: 4d}', /3:\d+ error: rules\[1\]: .*as rules\[0\] at p.yaml:2/],
    [
      'erasure: {wait: 3d}\nrules:\n  - {when: {right: erasure}, wait: 4d}',
      /3:\d+ error: .*as erasure at p.yaml:1/,
    ],
    [
      'rules:\n  - {when: {category: user.shoe_size}, allow: true}',
      /2:\d+ warning: .*no category of the taxonomy/,
    ],
    [
      'rules:\n  - {when: {category: user.financial}, keep: {justification: LegallyExempted, until: 2020-01-01}}',
      /2:\d+ warning: .*ended on 2020-01-01/,
    ],
  ])('says what is wrong with %j, and where', (text, want) => {
    expect(messages(text)).toEqual([expect.stringMatching(want)]);
  });

  it('finds nothing wrong where rules overlap but one is more specific, or where they say different parts', () => {
    expect(
      messages('rules:\n  - {wait: 3d}\n  - {when: {right: erasure}, wait: 4d}\n  - {owner: privacy}'),
    ).toEqual([]);
    expect(
      messages('rules:\n  - {when: {regime: gdpr}, wait: 3d}\n  - {when: {regime: [ccpa, us-va]}, wait: 4d}'),
    ).toEqual([]);
  });
});

const categories = [
  'user',
  'user.contact',
  'user.contact.email',
  'user.financial',
  'user.financial.bank_account',
  'user.financial.bank_account.iban',
];
const some = <Item>(items: readonly Item[]) =>
  fc.option(fc.subarray([...items], { minLength: 1 }), { nil: null });
const rights: readonly api.Right[] = api.rightSchema.options;
const regimes: readonly api.Regime[] = ['gdpr', 'ccpa', 'us-va'];
const kinds: readonly api.SubjectKind[] = ['customer', 'employee'];
const aDecision = fc.oneof(
  fc.constant({ action: 'allow' } as const),
  fc.constant({ action: 'mask', mask: { strategy: 'hash' } } as const),
  fc.constantFrom(null, '2020-01-01', '2030-01-01').map((until) => ({
    action: 'keep' as const,
    justification: null,
    reason: 'a duty',
    legalBasis: null,
    until,
  })),
);
const aRule = fc
  .record({
    regimes: some(regimes),
    rights: some(rights),
    subjectKinds: some(kinds),
    category: fc.option(fc.constantFrom(...categories), { nil: null }),
    data: aDecision,
  })
  .map(({ data, ...when }) => ({ when, data }));
const someRules = fc.array(aRule, { maxLength: 12 }).map((made) =>
  made.map(
    ({ when, data }, index): Rule => ({
      name: `rules[${index}]`,
      place: { file: 'p.yaml', line: index + 1, column: 1 },
      when,
      data,
      procedure: {},
      ordered: false,
    }),
  ),
);
const aCase = fc.record({
  regime: fc.constantFrom(...regimes),
  right: fc.constantFrom(...rights),
  subjectKind: fc.constantFrom(...kinds),
});
const aCategory = fc.constantFrom(...categories, 'user.contact.phone_number', 'user.financially', 'system');

/** Rules of which no two contradict each other: what lint lets through. */
function withoutContradictions(rules: readonly Rule[]): readonly Rule[] {
  return rules.filter((rule, index) => !rules.slice(0, index).some((other) => contradict(other, rule)));
}

describe('four eyes', () => {
  const parsed = (rules: string) => parsePolicy(`rules: [${rules}]`, 'policy.yaml');

  it('come from the most specific rule, which may also say never', () => {
    const { rules } = parsed(
      '{when: {right: erasure}, four_eyes_above: 100}, {when: {right: erasure, subject_kind: employee}, four_eyes_above: never}',
    );
    const of = (request: RequestCase) => decideProcedure(rules, request).fourEyesAbove.value;
    expect(of(ERASURE)).toBe(100);
    expect(of({ ...ERASURE, subjectKind: 'employee' })).toBeNull();
    expect(of({ ...ERASURE, right: 'rectification' })).toBeNull();
  });

  it.each([
    ['{four_eyes_above: often}', /a number of rows, or `never`/],
    ['{when: {right: access}, four_eyes_above: 1}', /erasure and rectification only/],
    ["{when: {right: erasure}, four_eyes_above: 1, approvers: ['key:a', 'key:a']}", /names one/],
    ['{when: {category: user.contact}, four_eyes_above: 1}', /whole request/],
  ])('%s is a mistake', (rule, message) => {
    expect(() => parsed(rule)).toThrow(message);
  });
});

describe('what is portable', () => {
  const parsed = (rules: string) => parsePolicy(`rules: [${rules}]`, 'policy.yaml');

  it('is what was provided and observed, unless a rule says otherwise', () => {
    const { rules } = parsed('{when: {right: portability, subject_kind: employee}, portable: everything}');
    const of = (request: RequestCase) => decideProcedure(rules, request).portable.value;
    expect(of({ ...ERASURE, right: 'portability' })).toBe('provided-and-observed');
    expect(of({ ...ERASURE, right: 'portability', subjectKind: 'employee' })).toBe('everything');
  });

  it.each([
    ['{portable: derived}', /portable/],
    ['{when: {right: access}, portable: provided}', /portability only/],
    ['{when: {category: user.contact}, portable: provided}', /whole request/],
  ])('%s is a mistake', (rule, message) => {
    expect(() => parsed(rule)).toThrow(message);
  });
});

describe('for any rules', () => {
  it('lint finds a contradiction exactly where two rules of equal weight fit one case', () => {
    fc.assert(
      fc.property(someRules, (rules) => {
        const found = lintRules(rules, NOW).some(({ message }) =>
          message.includes('neither is more specific'),
        );
        // Counted another way: every case is tried, and its heaviest rules are counted.
        const cases = regimes.flatMap((regime) =>
          rights.flatMap((right) => kinds.map((subjectKind) => ({ regime, right, subjectKind }))),
        );
        const weight = ({ when }: Rule) =>
          (when.category?.split('.').length ?? 0) * 8 +
          (when.subjectKinds === null ? 0 : 4) +
          (when.regimes === null ? 0 : 2) +
          (when.rights === null ? 0 : 1);
        const ambiguous = cases.some((request) =>
          categories.some((category) => {
            const weights = rules.filter((rule) => fits(rule, request, category)).map(weight);
            return new Set(weights).size < weights.length;
          }),
        );
        expect(found).toBe(ambiguous);
      }),
    );
  });

  it('that do not contradict each other, their order means nothing', () => {
    fc.assert(
      fc.property(
        someRules.chain((rules) => {
          const kept = withoutContradictions(rules);
          return fc.tuple(fc.constant(kept), fc.shuffledSubarray([...kept], { minLength: kept.length }));
        }),
        aCase,
        aCategory,
        ([rules, shuffled], request, category) => {
          const decided = decideData({ rules, request, category, now: NOW });
          expect(decideData({ rules: shuffled, request, category, now: NOW })).toEqual(decided);
        },
      ),
    );
  });

  it('nothing that fits and still holds is more specific than what decides', () => {
    fc.assert(
      fc.property(someRules, aCase, aCategory, (all, request, category) => {
        const rules = withoutContradictions(all);
        const { rule: decides } = decideData({ rules, request, category, now: NOW });
        const names = (list: readonly string[] | null) => (list === null ? 0 : 1);
        for (const rule of rules) {
          if (!fits(rule, request, category) || rule === decides) continue;
          if (rule.data?.action === 'keep' && rule.data.until === '2020-01-01') continue;
          expect(decides).toBeDefined();
          const depth = (rule.when.category ?? '').length - (decides?.when.category ?? '').length;
          expect(depth).toBeLessThanOrEqual(0);
          if (depth === 0)
            expect(names(rule.when.subjectKinds)).toBeLessThanOrEqual(
              names(decides?.when.subjectKinds ?? null),
            );
        }
      }),
    );
  });

  it('a connector that is told one decision per category does what the policy says of every category', () => {
    fc.assert(
      fc.property(someRules, aCase, aCategory, (all, request, category) => {
        fc.pre(isWithinCategory(category, 'user'));
        const rules = withoutContradictions(all);
        const { value } = decideData({ rules, request, category, now: NOW });
        const told = ruleFor([category], {
          keepRules: categoryRules({ rules, request, now: NOW }),
          now: NOW,
        });
        expect(told === undefined ? 'allow' : (told.action ?? 'keep')).toBe(value.action);
      }),
    );
  });
});
