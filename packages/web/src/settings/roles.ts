import { ALL_SCOPES, ROLES, type Role, type Scope } from '@habeas/contract/api';

/** What people in a role do, in a line. */
export const ROLE_WORDS: Readonly<Record<Role, string>> = {
  owner: 'owner: everything',
  officer: 'officer: decides about requests, and sees what they found',
  operator: 'operator: keeps the systems working, decides about nobody',
  member: 'member: does the tickets of a team',
  auditor: 'auditor: sees everything but whom it is about, changes nothing',
};

const ALL_ROLES = Object.keys(ROLES) as readonly Role[];

const isWithin = (some: readonly Scope[], all: readonly Scope[]) =>
  some.every((scope) => all.includes(scope));

/** Roles that may do no more than somebody with these scopes: nobody can give more than they have. */
export function rolesWithin(scopes: readonly Scope[]): readonly Role[] {
  return ALL_ROLES.filter((role) => isWithin(ROLES[role], scopes));
}

/** The role that has just these scopes, or undefined. */
export function roleOf(scopes: readonly Scope[]): Role | undefined {
  return ALL_ROLES.find((role) => isWithin(ROLES[role], scopes) && isWithin(scopes, ROLES[role]));
}

/** In the order of the contract, so that two lists of the same scopes read the same. */
export function inOrder(scopes: readonly Scope[]): readonly Scope[] {
  return ALL_SCOPES.filter((scope) => scopes.includes(scope));
}
