import type { api } from '@habeas/contract';
import { HabeasError } from '../foundation/index.ts';
import { createKey, type KeyContext } from './api-keys.ts';
import { listKeys } from './list-keys.ts';
import type { Principal } from './principal.ts';
import { revokeKey } from './revoke-key.ts';

/** The API keys of one organization, for who may see and change them. */
export interface ApiKeys {
  /** Newest first, with those that were revoked or have expired. */
  list(): Promise<readonly api.ApiKeyView[]>;
  /**
   * The one time that the key itself is told. Throws BAD_INPUT for an expiry that is over, and FORBIDDEN for a key that may do what
   * the one who makes it may not.
   */
  create(options: NewKeyOptions): Promise<api.NewApiKeyView>;
  /** Throws NOT_FOUND, and CONFLICT for the last key that works. */
  revoke(options: { readonly id: string; readonly actor: string }): Promise<api.ApiKeyView>;
}

export interface NewKeyOptions {
  /** What it is for. */
  readonly name: string;
  readonly actor: string;
  readonly scopes: readonly api.Scope[];
  /** Null: all. */
  readonly teams: readonly string[] | null;
  /** What the one who makes it may do. */
  readonly maker: Pick<Principal, 'scopes' | 'teams'>;
  /** Null: never. */
  readonly expiresAt: Date | null;
}

export function createApiKeys(context: KeyContext): ApiKeys {
  return {
    list: () => listKeys(context.db, context.organizationId),
    async create(options) {
      if (options.expiresAt !== null && options.expiresAt <= context.clock.now())
        throw new HabeasError('BAD_INPUT', 'expires_at is over; a key has to expire in the future.');
      refuseMore(options);
      return createKey({ ...context, ...options });
    },
    revoke: (options) => revokeKey({ ...context, ...options }),
  };
}

/** Nobody gives away what they do not have. */
function refuseMore({ scopes, teams, maker }: NewKeyOptions): void {
  const more = scopes.filter((scope) => !maker.scopes.has(scope));
  if (more.length > 0) {
    throw new HabeasError('FORBIDDEN', `Whoever makes this key may not do themselves: ${more.join(', ')}.`);
  }
  const own = maker.teams;
  if (own !== null && (teams === null || teams.some((team) => !own.includes(team))))
    throw new HabeasError('FORBIDDEN', `Whoever makes this key sees these teams alone: ${own.join(', ')}.`);
}
