import type { api } from '@habeas/contract';
import { HabeasError } from '../foundation/index.ts';
import { createKey, type KeyContext } from './api-keys.ts';
import { listKeys } from './list-keys.ts';
import type { Principal } from './principal.ts';
import { refuseMore } from './refuse-more.ts';
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
      refuseMore(options.maker, options);
      return createKey({ ...context, ...options });
    },
    revoke: (options) => revokeKey({ ...context, ...options }),
  };
}
