import { ALL_SCOPES, ROLES } from '@habeas/contract/api';
import { describe, expect, it } from 'vitest';
import { roleOf, rolesWithin } from './roles.ts';

describe('the roles that somebody can give', () => {
  it('may do nothing that they may not do themselves', () => {
    expect(rolesWithin(ALL_SCOPES)).toEqual(['owner', 'officer', 'operator', 'member', 'auditor']);
    expect(rolesWithin(ROLES.officer)).toEqual(['officer', 'member', 'auditor']);
    expect(rolesWithin(ROLES.member)).toEqual(['member']);
    expect(rolesWithin(['keys:write'])).toEqual([]);
  });

  it('are told by their scopes, whatever their order, and by no others', () => {
    expect(roleOf(ROLES.auditor.toReversed())).toBe('auditor');
    expect(roleOf(ROLES.auditor.slice(1))).toBeUndefined();
    expect(roleOf([...ROLES.member, 'keys:read'])).toBeUndefined();
  });
});
