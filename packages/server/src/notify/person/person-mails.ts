import { type Selectable, sql } from 'kysely';
import { type Database, newId } from '../../foundation/index.ts';
import { publish } from '../outbox.ts';
import type { MailKind } from './mail-kind.ts';

/**
 * queued: waits for its turn or its next try; sending: handed to the mail server just now; sent: the mail server took it;
 * refused: it did not, for good; skipped: there was nobody to send it to any more, or too much was sent already; bounced: another
 * mail system sent it back.
 */
export type PersonMailState = 'queued' | 'sending' | 'sent' | 'refused' | 'skipped' | 'bounced';

export type PersonMailTables = {
  person_mails: {
    organization_id: string;
    id: string;
    request_id: string;
    kind: MailKind;
    /** What it answers to, such as the id of an event: each cause makes one mail of a kind for a contact. */
    cause: string;
    /** Which contact of the request gets it; means nothing to anybody who has not the request's key. */
    contact: string;
    state: PersonMailState;
    attempts: number;
    queued_at: Date;
    next_attempt_at: Date;
    ended_at: Date | null;
    /** RFC 3463 or three digits of SMTP, or why it was skipped. */
    status: string | null;
  };
};

export type PersonMail = Selectable<PersonMailTables['person_mails']>;

export const PERSON_MAIL_COLUMNS = [
  'organization_id',
  'id',
  'request_id',
  'kind',
  'cause',
  'contact',
  'state',
  'attempts',
  'queued_at',
  'next_attempt_at',
  'ended_at',
  'status',
] as const satisfies readonly (keyof PersonMailTables['person_mails'])[];

export interface NewPersonMail {
  readonly organizationId: string;
  readonly requestId: string;
  readonly kind: MailKind;
  readonly cause: string;
  readonly contact: string;
  /** (Default: now) */
  readonly notBefore?: Date | undefined;
}

/** Stores mails to send; those that were stored before for the same cause and contact are not stored again. */
export async function queuePersonMails(
  transaction: Database,
  mails: readonly NewPersonMail[],
  now: Date,
): Promise<void> {
  if (mails.length === 0) return;
  await transaction
    .withTables<PersonMailTables>()
    .insertInto('person_mails')
    .values(
      mails.map((mail, index) => ({
        organization_id: mail.organizationId,
        // In the order of what they tell.
        id: newId('mail', new Date(now.getTime() + index)),
        request_id: mail.requestId,
        kind: mail.kind,
        cause: mail.cause,
        contact: mail.contact,
        state: 'queued' as const,
        attempts: 0,
        queued_at: mail.notBefore ?? now,
        next_attempt_at: mail.notBefore ?? now,
        ended_at: null,
        status: null,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Takes mails that are due, each for one sender only. */
export async function takeDueMails(
  db: Database,
  options: { readonly organizationId: string; readonly now: Date; readonly limit: number },
): Promise<readonly PersonMail[]> {
  const tables = db.withTables<PersonMailTables>();
  return tables
    .updateTable('person_mails')
    .set(({ eb }) => ({ state: 'sending', attempts: eb('attempts', '+', 1) }))
    .where('organization_id', '=', options.organizationId)
    .where('id', 'in', (due) =>
      due
        .selectFrom('person_mails')
        .select('id')
        .where('organization_id', '=', options.organizationId)
        .where('state', '=', 'queued')
        .where('next_attempt_at', '<=', options.now)
        .orderBy('next_attempt_at')
        .orderBy('id')
        .limit(options.limit)
        .forUpdate()
        .skipLocked(),
    )
    .returning(PERSON_MAIL_COLUMNS)
    .execute();
}

/**
 * Gives back what a sender had in hand when it died: whether the mail server took it nobody knows, so it is sent again, with the
 * same Message-ID. To be called by the one process that sends, before it does.
 */
export async function giveBackMails(db: Database, organizationId: string): Promise<void> {
  await db
    .withTables<PersonMailTables>()
    .updateTable('person_mails')
    .set({ state: 'queued' })
    .where('organization_id', '=', organizationId)
    .where('state', '=', 'sending')
    .execute();
}

/** When the next one is due; undefined while none waits. */
export async function nextMailAt(db: Database, organizationId: string): Promise<Date | undefined> {
  const row = await db
    .withTables<PersonMailTables>()
    .selectFrom('person_mails')
    .select('next_attempt_at')
    .where('organization_id', '=', organizationId)
    .where('state', '=', 'queued')
    .orderBy('next_attempt_at')
    .limit(1)
    .executeTakeFirst();
  return row?.next_attempt_at;
}

export async function retryMailAt(db: Database, mail: PersonMail, at: Date): Promise<void> {
  await change(db, mail, { state: 'queued', next_attempt_at: at });
}

/** Why a mail was skipped whose person can only be told in another way: there is no address that a mail can be written to. */
export const NO_ADDRESS = 'no-address';

/** Ends a mail; what comes back, was never sent for want of an address, or never arrived, is told by an event too. */
export async function endMail(
  db: Database,
  mail: PersonMail,
  end: {
    readonly state: 'sent' | 'refused' | 'skipped' | 'bounced';
    readonly status: string | null;
    readonly now: Date;
  },
): Promise<void> {
  await inTransaction(db, async (transaction) => {
    await change(transaction, mail, { state: end.state, status: end.status, ended_at: end.now });
    if (end.state === 'sent' || (end.state === 'skipped' && end.status !== NO_ADDRESS)) return;
    const { organization_id: organizationId, request_id: requestId } = mail;
    const data = { mail: mail.id, kind: mail.kind, outcome: end.state, status: end.status };
    await publish(transaction, [{ organizationId, type: 'mail.undelivered', requestId, data }], end.now);
  });
}

/** In the caller's transaction, or in one of its own. */
async function inTransaction(db: Database, work: (transaction: Database) => Promise<void>): Promise<void> {
  if (db.isTransaction) await work(db);
  else await db.transaction().execute(work);
}

async function change(
  db: Database,
  mail: PersonMail,
  set: Partial<Pick<PersonMail, 'state' | 'status' | 'ended_at' | 'next_attempt_at'>>,
): Promise<void> {
  await db
    .withTables<PersonMailTables>()
    .updateTable('person_mails')
    .set(set)
    .where('organization_id', '=', mail.organization_id)
    .where('id', '=', mail.id)
    .execute();
}

/** The mails of a request, oldest first. */
export async function personMailsOf(
  db: Database,
  ref: { readonly organizationId: string; readonly requestId: string },
): Promise<readonly PersonMail[]> {
  return db
    .withTables<PersonMailTables>()
    .selectFrom('person_mails')
    .select(PERSON_MAIL_COLUMNS)
    .where('organization_id', '=', ref.organizationId)
    .where('request_id', '=', ref.requestId)
    .orderBy('id')
    .execute();
}

export async function createPersonMails(db: Database): Promise<void> {
  await sql`
    create table person_mails (
      organization_id text not null,
      id text not null,
      request_id text not null,
      kind text not null,
      cause text not null,
      contact text not null,
      state text not null,
      attempts integer not null default 0,
      queued_at timestamptz not null,
      next_attempt_at timestamptz not null,
      ended_at timestamptz,
      status text,
      primary key (organization_id, id),
      unique (organization_id, request_id, kind, cause, contact)
    )`.execute(db);
  await sql`
    create index person_mails_due on person_mails (organization_id, next_attempt_at)
    where state in ('queued', 'sending')`.execute(db);
}
