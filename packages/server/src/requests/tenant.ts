import type { api } from '@habeas/contract';
import type { About } from '../catalog/index.ts';
import { HabeasError } from '../foundation/index.ts';
import type { Policy } from '../policy/index.ts';

type TenantPolicy = Pick<Policy, 'tenantIdentities'>;

/** Whether a request is about a person, or about a tenant: an account that is closed, with all of its people. */
export function aboutOf(policy: TenantPolicy, identityTypes: readonly string[]): About {
  return identityTypes.some((type) => policy.tenantIdentities.includes(type)) ? 'tenant' : 'person';
}

/**
 * Throws BAD_INPUT for a request about a tenant that names a person too, or asks for anything but erasure. A person's identity
 * would reach what the person has with other tenants.
 */
export function checkTenant(ask: {
  readonly policy: TenantPolicy;
  readonly right: api.Right;
  readonly identityTypes: readonly string[];
}): void {
  if (aboutOf(ask.policy, ask.identityTypes) === 'person') return;
  if (ask.right !== 'erasure') {
    throw new HabeasError(
      'BAD_INPUT',
      `A whole tenant can be erased; ${ask.right} is a right of people. Name a person.`,
    );
  }
  const persons = ask.identityTypes.filter((type) => !ask.policy.tenantIdentities.includes(type));
  if (persons.length === 0) return;
  throw new HabeasError(
    'BAD_INPUT',
    `A request is about a tenant or about a person: ${persons.join(', ')} would reach what the person has with other tenants. Leave it out.`,
  );
}
