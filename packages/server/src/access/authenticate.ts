import { timingSafeEqual } from 'node:crypto';
import { sql } from 'kysely';
import { byteaArray, createGroup, sha256, sha256Hex } from '../foundation/index.ts';
import type { KeyContext } from './api-keys.ts';
import { scopesOf } from './list-keys.ts';
import type { Principal } from './principal.ts';
import type { AccessTables } from './tables.ts';

type AuthenticateContext = Pick<KeyContext, 'db' | 'clock'>;

/** Most keys of one question to the database. */
const MOST_KEYS = 500;
/**
 * How long an answer of the database counts: a program that calls a thousand times a second is looked up a few times. Whoever revokes a key waits as
 * long, in whatever process, so that nobody who is told that it is revoked sees it accepted.
 */
const LEASE_MILLISECONDS = 250;
/** Between two clocks that both count on, and until a call that was accepted has begun. */
const MARGIN_MILLISECONDS = 50;
/** Most keys whose answers are kept. */
const MOST_KEPT = 1_000;

/** Resolves when no process accepts a key any more whose revocation is committed. */
export async function untilForgotten(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, LEASE_MILLISECONDS + MARGIN_MILLISECONDS));
}

/** What the database said of a key. */
interface Known {
  readonly principal: Principal;
  readonly expiresAt: Date | null;
}

/** Until when an answer counts, by a clock that nobody sets. */
interface Kept extends Known {
  readonly until: number;
}

/**
 * {@link authenticate} for many calls: an answer counts for a quarter of a second, and keys that are presented while a question is answered share the
 * next one, so that a hundred calls do not need a hundred connections.
 */
export function createAuthenticate(
  context: AuthenticateContext,
): (presentedKey: string) => Promise<Principal | undefined> {
  let count = 0;
  const kept = new Map<string, Kept>();
  const together = createGroup<{ readonly hash: Buffer; readonly turn: string }, Known | undefined>({
    limit: MOST_KEYS,
    keyOf: ({ turn }) => turn,
    run: (asked) =>
      lookUp(
        context,
        asked.map(({ hash }) => hash),
      ),
  });
  return async (presentedKey) => {
    const name = sha256Hex(presentedKey);
    const before = kept.get(name);
    if (before !== undefined && performance.now() < before.until) return stillValid(context, before);
    // From when it is asked, not from when it is answered.
    const until = performance.now() + LEASE_MILLISECONDS;
    count += 1;
    const known = await together({ hash: Buffer.from(name, 'hex'), turn: String(count) });
    if (kept.size >= MOST_KEPT) kept.clear();
    if (known === undefined) kept.delete(name);
    else kept.set(name, { ...known, until });
    return known?.principal;
  };
}

function stillValid({ clock }: AuthenticateContext, { principal, expiresAt }: Known): Principal | undefined {
  return expiresAt === null || expiresAt > clock.now() ? principal : undefined;
}

/** Who presents this key; undefined if it is unknown, revoked or expired. */
export async function authenticate(
  context: AuthenticateContext,
  presentedKey: string,
): Promise<Principal | undefined> {
  return (await lookUp(context, [sha256(presentedKey)]))[0]?.principal;
}

/** The one query without an organization: the key is what says which organization it is. */
async function lookUp(
  { db, clock }: AuthenticateContext,
  hashes: readonly Buffer[],
): Promise<readonly (Known | undefined)[]> {
  const rows = await db
    .withTables<AccessTables>()
    .selectFrom('api_keys')
    .select(['organization_id', 'id', 'hash', 'scopes', 'teams', 'expires_at'])
    .where('hash', '=', sql<Buffer>`any(${byteaArray(hashes)}::bytea[])`)
    .where('revoked_at', 'is', null)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', clock.now())]))
    .execute();
  return hashes.map((hash) => {
    // The index compares hashes, which tells an attacker nothing about the key; the last word is in constant time all the same.
    const row = rows.find((one) => timingSafeEqual(one.hash, hash));
    if (row === undefined) return undefined;
    const principal: Principal = {
      organizationId: row.organization_id,
      actor: `key:${row.id}`,
      scopes: new Set(scopesOf(row)),
      teams: row.teams,
    };
    return { principal, expiresAt: row.expires_at };
  });
}
