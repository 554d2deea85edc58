import type { api } from '@habeas/contract';
import { HabeasError } from '../foundation/index.ts';
import type { Principal } from './principal.ts';

/** Nobody gives away what they do not have. Throws FORBIDDEN. */
export function refuseMore(
  maker: Pick<Principal, 'scopes' | 'teams'>,
  { scopes, teams }: { readonly scopes: readonly api.Scope[]; readonly teams: readonly string[] | null },
): void {
  const more = scopes.filter((scope) => !maker.scopes.has(scope));
  if (more.length > 0)
    throw new HabeasError('FORBIDDEN', `You may not do this yourself: ${more.join(', ')}.`);
  const own = maker.teams;
  if (own !== null && (teams === null || teams.some((team) => !own.includes(team))))
    throw new HabeasError('FORBIDDEN', `You see these teams alone: ${own.join(', ')}.`);
}
