import { timingSafeEqual } from 'node:crypto';
import { sql } from 'kysely';
import { byteaArray, createGroup, sha256 } from '../foundation/index.ts';
import type { KeyContext } from './api-keys.ts';
import { scopesOf } from './list-keys.ts';
import type { Principal } from './principal.ts';
import type { AccessTables } from './tables.ts';

type AuthenticateContext = Pick<KeyContext, 'db' | 'clock'>;

/** Most keys of one question to the database. */
const MOST_KEYS = 500;

/**
 * {@link authenticate} for many calls at once: keys that are presented while one question is answered share the next one, so that each is
 * looked up after it came, and a hundred calls do not need a hundred connections.
 */
export function createAuthenticate(
  context: AuthenticateContext,
): (presentedKey: string) => Promise<Principal | undefined> {
  let count = 0;
  const together = createGroup<{ readonly hash: Buffer; readonly turn: string }, Principal | undefined>({
    limit: MOST_KEYS,
    keyOf: ({ turn }) => turn,
    run: (asked) =>
      lookUp(
        context,
        asked.map(({ hash }) => hash),
      ),
  });
  return (presentedKey) => {
    count += 1;
    return together({ hash: sha256(presentedKey), turn: String(count) });
  };
}

/** Who presents this key; undefined if it is unknown, revoked or expired. */
export async function authenticate(
  context: AuthenticateContext,
  presentedKey: string,
): Promise<Principal | undefined> {
  return (await lookUp(context, [sha256(presentedKey)]))[0];
}

/** The one query without an organization: the key is what says which organization it is. */
async function lookUp(
  { db, clock }: AuthenticateContext,
  hashes: readonly Buffer[],
): Promise<readonly (Principal | undefined)[]> {
  const rows = await db
    .withTables<AccessTables>()
    .selectFrom('api_keys')
    .select(['organization_id', 'id', 'hash', 'scopes', 'teams'])
    .where('hash', '=', sql<Buffer>`any(${byteaArray(hashes)}::bytea[])`)
    .where('revoked_at', 'is', null)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', clock.now())]))
    .execute();
  return hashes.map((hash) => {
    // The index compares hashes, which tells an attacker nothing about the key; the last word is in constant time all the same.
    const row = rows.find((one) => timingSafeEqual(one.hash, hash));
    if (row === undefined) return undefined;
    return {
      organizationId: row.organization_id,
      actor: `key:${row.id}`,
      scopes: new Set(scopesOf(row)),
      teams: row.teams,
    };
  });
}
