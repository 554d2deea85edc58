import type { api } from '@habeas/contract';
import { HabeasError } from '../foundation/index.ts';
import { createKey, type KeyContext } from './api-keys.ts';
import { listKeys } from './list-keys.ts';
import { revokeKey } from './revoke-key.ts';

/** The API keys of one organization, for who may see and change them. */
export interface ApiKeys {
  /** Newest first, with those that were revoked or have expired. */
  list(): Promise<readonly api.ApiKeyView[]>;
  /** The one time that the key itself is told. Throws BAD_INPUT for an expiry that is over. */
  create(options: NewKeyOptions): Promise<api.NewApiKeyView>;
  /** Throws NOT_FOUND, and CONFLICT for the last key that works. */
  revoke(options: { readonly id: string; readonly actor: string }): Promise<api.ApiKeyView>;
}

export interface NewKeyOptions {
  /** What it is for. */
  readonly name: string;
  readonly actor: string;
  /** Null: never. */
  readonly expiresAt: Date | null;
}

export function createApiKeys(context: KeyContext): ApiKeys {
  return {
    list: () => listKeys(context.db, context.organizationId),
    async create(options) {
      if (options.expiresAt !== null && options.expiresAt <= context.clock.now())
        throw new HabeasError('BAD_INPUT', 'expires_at is over; a key has to expire in the future.');
      return createKey({ ...context, ...options, role: 'admin' });
    },
    revoke: (options) => revokeKey({ ...context, ...options }),
  };
}
