import { describe, expect, it } from 'vitest';
import { loadPolicy, parsePolicy } from './policy.ts';

describe('parsePolicy', () => {
  it('reads waits, approval and what is kept', () => {
    const policy = parsePolicy(
      'erasure: {wait: 14d, approval: required}\nkeep:\n  - {category: user.financial, reason: tax law, legal_basis: "§ 147 AO", until: 2034-01-01}\n',
      'policy.yaml',
    );
    expect(policy.erasure).toEqual({ waitMilliseconds: 14 * 86_400_000, approval: 'required' });
    expect(policy.keep).toEqual([
      { category: 'user.financial', reason: 'tax law', legalBasis: '§ 147 AO', until: '2034-01-01' },
    ]);
  });

  it('reads the law, the holidays and the time zone of deadlines; without them, the GDPR, weekends and UTC', () => {
    const text = 'deadlines: {law: uk-gdpr, country: gb, region: eng, time_zone: Europe/London}';
    expect(parsePolicy(text, 'policy.yaml').deadlines).toEqual({
      law: 'uk-gdpr',
      country: 'gb',
      region: 'eng',
      timeZone: 'Europe/London',
    });
    const none = { law: 'gdpr', country: null, region: null, timeZone: 'UTC' };
    expect(loadPolicy(undefined).deadlines).toEqual(none);
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
