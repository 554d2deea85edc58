import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { api } from '@habeas/contract';
import { base32, HabeasError, newId, sha256 } from '../foundation/index.ts';
import type { KeyContext } from './api-keys.ts';
import { authenticate } from './authenticate.ts';
import type { Principal, SignedIn } from './principal.ts';
import { findSession, type SessionRow, signedInOf } from './read-session.ts';
import type { AccessTables } from './tables.ts';

/** What lets a browser act for somebody who signed in, so that it need not keep their key. */
export interface Sessions {
  /** Throws UNAUTHENTICATED for a key that is unknown, revoked or expired. */
  start(presentedKey: string): Promise<StartedSession>;
  /** For somebody who has just signed in at the organization's own sign-in. */
  startFor(member: Pick<api.MemberView, 'id'>): Promise<StartedSession>;
  /** Undefined if it is unknown or has ended, or if who it stands for was removed. */
  authenticate(token: string): Promise<SignedIn | undefined>;
  /** Whoever sits there shows again that they have the key. Throws UNAUTHENTICATED for another key. */
  confirm(session: SignedIn, presentedKey: string): Promise<SignedIn>;
  /** Whoever sits there has just signed in again. Throws UNAUTHENTICATED for another person, or if the session is over. */
  confirmFor(sessionId: string, member: Pick<api.MemberView, 'id'>): Promise<void>;
  /** From now on its token is refused. */
  end(session: SignedIn): Promise<void>;
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

  async function actorOf(presentedKey: string): Promise<Principal['actor']> {
    const principal = await authenticate(context, presentedKey);
    if (principal === undefined || principal.organizationId !== organizationId)
      throw new HabeasError(
        'UNAUTHENTICATED',
        'This API key is not known here, was revoked, or has expired.',
      );
    return principal.actor;
  }

  const entry = (actor: string, id: string, action: string) => [
    { organizationId, actor, subject: id, action },
  ];

  async function open(owner: Pick<SessionRow, 'key_id' | 'member_id'>): Promise<StartedSession> {
    const now = clock.now();
    const token = base32(randomBytes(32));
    const row = {
      organization_id: organizationId,
      id: newId('ses', now),
      token_hash: sha256(token),
      ...owner,
      created_at: now,
      used_at: now,
      confirmed_at: now,
      expires_at: new Date(now.getTime() + SESSION_MILLISECONDS),
    };
    return db.transaction().execute(async (transaction) => {
      const tables = transaction.withTables<AccessTables>();
      await tables
        .deleteFrom('sessions')
        .where('organization_id', '=', organizationId)
        .where('expires_at', '<=', now)
        .execute();
      await tables.insertInto('sessions').values(row).execute();
      const found = await findSession(transaction, organizationId, now)
        .where('s.id', '=', row.id)
        .executeTakeFirst();
      if (found === undefined)
        throw new HabeasError('UNAUTHENTICATED', 'Whoever signs in was removed in the meantime.');
      const signedIn = signedInOf(organizationId, found);
      await context.audit(transaction, entry(signedIn.actor, row.id, 'session.started'), now);
      return { token, signedIn };
    });
  }

  async function confirmNow(id: string, actor: Principal['actor']): Promise<SignedIn> {
    const now = clock.now();
    return db.transaction().execute(async (transaction) => {
      const found = await findSession(transaction, organizationId, now)
        .where('s.id', '=', id)
        .executeTakeFirst();
      if (found === undefined)
        throw new HabeasError('UNAUTHENTICATED', 'The session has ended: sign in again.');
      const signedIn = signedInOf(organizationId, { ...found, confirmed_at: now });
      if (signedIn.actor !== actor)
        throw new HabeasError(
          'UNAUTHENTICATED',
          signedIn.session.role === null
            ? 'This is not the key that you signed in with.'
            : 'Somebody else signed in than before.',
        );
      await transaction
        .withTables<AccessTables>()
        .updateTable('sessions')
        .set({ confirmed_at: now })
        .where('organization_id', '=', organizationId)
        .where('id', '=', id)
        .execute();
      await context.audit(transaction, entry(actor, id, 'session.confirmed'), now);
      return signedIn;
    });
  }

  return {
    start: async (presentedKey) => {
      const actor = await actorOf(presentedKey);
      return open({ key_id: actor.slice('key:'.length), member_id: null });
    },
    startFor: ({ id }) => open({ key_id: null, member_id: id }),

    async authenticate(token) {
      const hash = sha256(token);
      const now = clock.now();
      const row = await findSession(db, organizationId, now)
        .where('s.token_hash', '=', hash)
        .where('s.used_at', '>', new Date(now.getTime() - IDLE_MILLISECONDS))
        .executeTakeFirst();
      if (row === undefined || !timingSafeEqual(row.token_hash, hash)) return undefined;
      if (now.getTime() - row.used_at.getTime() > NOTE_MILLISECONDS) {
        await db
          .withTables<AccessTables>()
          .updateTable('sessions')
          .set({ used_at: now })
          .where('organization_id', '=', organizationId)
          .where('id', '=', row.id)
          .execute();
      }
      return signedInOf(organizationId, row);
    },

    confirm: async ({ session }, presentedKey) => confirmNow(session.id, await actorOf(presentedKey)),
    confirmFor: async (sessionId, { id }) => void (await confirmNow(sessionId, `member:${id}`)),

    async end({ session: { id }, actor }) {
      await db.transaction().execute(async (transaction) => {
        const deleted = await transaction
          .withTables<AccessTables>()
          .deleteFrom('sessions')
          .where('organization_id', '=', organizationId)
          .where('id', '=', id)
          .executeTakeFirst();
        if (deleted.numDeletedRows === 0n) return;
        await context.audit(transaction, entry(actor, id, 'session.ended'), clock.now());
      });
    },
  };
}
