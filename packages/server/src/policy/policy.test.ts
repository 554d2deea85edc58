import { describe, expect, it } from 'vitest';
import { categoryRules, decideProcedure } from './decide.ts';
import { loadPolicy, parsePolicy } from './policy.ts';

const NOW = new Date('2026-11-21T12:00:00Z');

describe('parsePolicy', () => {
  it('reads the older keys for waits, approval and what is kept as rules about erasure', () => {
    const policy = parsePolicy(
      'erasure: {wait: 14d, approval: required}\nkeep:\n  - {category: user.financial, reason: tax law, legal_basis: "§ 147 AO", until: 2034-01-01}\n',
      'policy.yaml',
      NOW,
    );
    const erasure = { regime: 'gdpr', right: 'erasure', subjectKind: 'customer' } as const;
    const procedure = decideProcedure(policy.rules, erasure);
    expect(procedure.waitMilliseconds.value).toBe(14 * 86_400_000);
    expect(procedure.approval.value).toBe('required');
    expect(decideProcedure(policy.rules, { ...erasure, right: 'access' }).approval.value).toBe('none');
    expect(categoryRules({ rules: policy.rules, request: erasure, now: NOW })).toEqual([
      { category: 'user.financial', reason: 'tax law', legalBasis: '§ 147 AO', until: '2034-01-01' },
    ]);
    expect(
      categoryRules({ rules: policy.rules, request: { ...erasure, right: 'access' }, now: NOW }),
    ).toEqual([]);
  });

  it('gives an older file the version that it always had', () => {
    const text = 'erasure: {wait: 1d}\nkeep:\n  - {category: user.financial, reason: tax law}\n';
    expect(parsePolicy(text, 'policy.yaml', NOW).version).toBe(
      'a0fd95a43be8741511a7edcce5d6cbc12a78ce89d4f96e2aa522826647bf4ae2',
    );
  });

  it('counts the days of another regime by that law and its own calendar', () => {
    const text =
      'deadlines: {law: gdpr, country: de, time_zone: Europe/Berlin, regimes: {uk-gdpr: {country: gb, region: eng, time_zone: Europe/London}}}';
    const policy = parsePolicy(text, 'policy.yaml', NOW);
    expect(policy.deadlinesOf('uk-gdpr')).toEqual({
      law: 'uk-gdpr',
      country: 'gb',
      region: 'eng',
      timeZone: 'Europe/London',
    });
    expect(policy.deadlinesOf('us-va')).toEqual({
      law: 'us-va',
      country: 'de',
      region: null,
      timeZone: 'Europe/Berlin',
    });
  });

  it('reads the law, the holidays and the time zone of deadlines; without them, the GDPR, weekends and UTC', () => {
    const text = 'deadlines: {law: uk-gdpr, country: gb, region: eng, time_zone: Europe/London}';
    expect(parsePolicy(text, 'policy.yaml').deadlinesOf()).toEqual({
      law: 'uk-gdpr',
      country: 'gb',
      region: 'eng',
      timeZone: 'Europe/London',
    });
    const none = { law: 'gdpr', country: null, region: null, timeZone: 'UTC' };
    expect(loadPolicy(undefined).deadlinesOf()).toEqual(none);
  });

  it.each([
    ['law: hipaa', 'law'],
    ['time_zone: Mars/Olympus', 'a time zone such as Europe/Berlin'],
    ['country: zz', 'no country whose public holidays are known'],
    ['region: by', 'a region needs its country'],
    ['country: de\n  region: xx', 'one of bb, be, bw, by'],
  ])('refuses deadlines with %s', (line, want) => {
    expect(() => parsePolicy(`deadlines:\n  ${line}\n`, 'policy.yaml')).toThrow(
      expect.objectContaining({ code: 'POLICY_INVALID', details: [expect.stringContaining(want)] }),
    );
  });

  it('gives the same version to the same rules and another to others', () => {
    const a = parsePolicy('erasure: {wait: 1d}\naccess: {package_expires: 3d}', 'a');
    const b = parsePolicy(
      '# the same in another order\naccess: {package_expires: 3d}\nerasure: {wait: 1d}',
      'b',
    );
    expect(a.version).toBe(b.version);
    expect(parsePolicy('erasure: {wait: 2d}', 'c').version).not.toBe(loadPolicy(undefined).version);
  });

  it('names the line of each mistake', () => {
    expect(() => parsePolicy('erasure:\n  wait: soon\nkep: []\n', 'policy.yaml')).toThrow(
      expect.objectContaining({
        code: 'POLICY_INVALID',
        details: [expect.stringContaining('policy.yaml:2:'), expect.stringContaining('policy.yaml:3:')],
      }),
    );
  });
});
