import { randomBytes, timingSafeEqual } from 'node:crypto';
import { base32, HabeasError, newId, sha256 } from '../foundation/index.ts';
import { authenticate, type KeyContext } from './api-keys.ts';
import { scopesOf } from './list-keys.ts';
import type { Principal } from './principal.ts';
import type { AccessTables } from './tables.ts';

/** What lets a browser act for somebody who signed in, so that it need not keep their key. */
export interface Sessions {
  /** Throws UNAUTHENTICATED for a key that is unknown, revoked or expired. */
  start(presentedKey: string): Promise<StartedSession>;
  /** Undefined if it is unknown, has ended, or its key was revoked or has expired. */
  authenticate(token: string): Promise<SignedIn | undefined>;
  /** Whoever sits there shows again that they have the key. Throws UNAUTHENTICATED for another key. */
  confirm(session: SignedIn, presentedKey: string): Promise<SignedIn>;
  /** From now on its token is refused. */
  end(session: SignedIn): Promise<void>;
}

/** Somebody who signed in, for as long as their session goes on. */
export interface SignedIn extends Principal {
  readonly session: NonNullable<Principal['session']>;
}

export interface StartedSession {
  /** 256 random bits, for the cookie. It is stored nowhere. */
  readonly token: string;
  readonly signedIn: SignedIn;
}

const HOUR_MILLISECONDS = 3_600_000;
/** A working day; then whoever it is signs in again (OWASP ASVS 5.0, 7.3). */
export const SESSION_MILLISECONDS = 12 * HOUR_MILLISECONDS;
/** Without any call. */
const IDLE_MILLISECONDS = HOUR_MILLISECONDS;
/** Noted no more often, because each note is a write. */
const NOTE_MILLISECONDS = 60_000;

export function createSessions(context: KeyContext): Sessions {
  const { db, clock, organizationId } = context;
  const sessions = () => db.withTables<AccessTables>();

  async function principalOf(presentedKey: string): Promise<Principal> {
    const principal = await authenticate(context, presentedKey);
    if (principal === undefined || principal.organizationId !== organizationId)
      throw new HabeasError(
        'UNAUTHENTICATED',
        'This API key is not known here, was revoked, or has expired.',
      );
    return principal;
  }

  const audit = (signedIn: Pick<SignedIn, 'actor'>, id: string, action: string) => ({
    organizationId,
    actor: signedIn.actor,
    subject: id,
    action,
  });

  return {
    async start(presentedKey) {
      const principal = await principalOf(presentedKey);
      const now = clock.now();
      const token = base32(randomBytes(32));
      const session = {
        id: newId('ses', now),
        expiresAt: new Date(now.getTime() + SESSION_MILLISECONDS),
        confirmedAt: now,
      };
      await db.transaction().execute(async (transaction) => {
        const tables = transaction.withTables<AccessTables>();
        await tables
          .deleteFrom('sessions')
          .where('organization_id', '=', organizationId)
          .where('expires_at', '<=', now)
          .execute();
        await tables
          .insertInto('sessions')
          .values({
            organization_id: organizationId,
            id: session.id,
            token_hash: sha256(token),
            key_id: keyOf(principal),
            created_at: now,
            used_at: now,
            confirmed_at: now,
            expires_at: session.expiresAt,
          })
          .execute();
        await context.audit(transaction, [audit(principal, session.id, 'session.started')], now);
      });
      return { token, signedIn: { ...principal, session } };
    },

    async authenticate(token) {
      const hash = sha256(token);
      const now = clock.now();
      const row = await sessions()
        .selectFrom('sessions as s')
        .innerJoin('api_keys as k', (join) =>
          join.onRef('k.organization_id', '=', 's.organization_id').onRef('k.id', '=', 's.key_id'),
        )
        .select(['s.id', 's.token_hash', 's.used_at', 's.confirmed_at', 's.expires_at', 's.key_id'])
        .select(['k.scopes', 'k.teams'])
        .where('s.organization_id', '=', organizationId)
        .where('s.token_hash', '=', hash)
        .where('s.expires_at', '>', now)
        .where('s.used_at', '>', new Date(now.getTime() - IDLE_MILLISECONDS))
        .where('k.revoked_at', 'is', null)
        .where((where) => where.or([where('k.expires_at', 'is', null), where('k.expires_at', '>', now)]))
        .executeTakeFirst();
      if (row === undefined || !timingSafeEqual(row.token_hash, hash)) return undefined;
      if (now.getTime() - row.used_at.getTime() > NOTE_MILLISECONDS) {
        await sessions()
          .updateTable('sessions')
          .set({ used_at: now })
          .where('organization_id', '=', organizationId)
          .where('id', '=', row.id)
          .execute();
      }
      return {
        organizationId,
        actor: `key:${row.key_id}`,
        scopes: new Set(scopesOf(row)),
        teams: row.teams,
        session: { id: row.id, expiresAt: row.expires_at, confirmedAt: row.confirmed_at },
      };
    },

    async confirm(signedIn, presentedKey) {
      const principal = await principalOf(presentedKey);
      if (principal.actor !== signedIn.actor)
        throw new HabeasError('UNAUTHENTICATED', 'This is not the key that you signed in with.');
      const now = clock.now();
      const { id } = signedIn.session;
      await db.transaction().execute(async (transaction) => {
        await transaction
          .withTables<AccessTables>()
          .updateTable('sessions')
          .set({ confirmed_at: now })
          .where('organization_id', '=', organizationId)
          .where('id', '=', id)
          .execute();
        await context.audit(transaction, [audit(signedIn, id, 'session.confirmed')], now);
      });
      return { ...signedIn, session: { ...signedIn.session, confirmedAt: now } };
    },

    async end(signedIn) {
      const { id } = signedIn.session;
      await db.transaction().execute(async (transaction) => {
        const deleted = await transaction
          .withTables<AccessTables>()
          .deleteFrom('sessions')
          .where('organization_id', '=', organizationId)
          .where('id', '=', id)
          .executeTakeFirst();
        if (deleted.numDeletedRows === 0n) return;
        await context.audit(transaction, [audit(signedIn, id, 'session.ended')], clock.now());
      });
    },
  };
}

function keyOf({ actor }: Principal): string {
  return actor.slice('key:'.length);
}
