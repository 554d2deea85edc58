import { sql } from 'kysely';
import type { Identity } from '../../catalog/index.ts';
import type { Database, HabeasError } from '../../foundation/index.ts';
import { publish } from '../../notify/index.ts';
import type { Destination } from './destination.ts';

/** The state of one person that one destination has to be told. */
export interface Delivery {
  readonly subject: number;
  /** Grows with every state that a destination is told: of two of one person the greater one counts. */
  readonly version: string;
  /** The same for every try of this state. */
  readonly id: string;
  readonly known: bigint;
  readonly granted: bigint;
  /** Purposes of which the destination was told, or may have been, that they are not allowed. */
  readonly refused: bigint;
  /** When the person last said something about what the destination is told about. */
  readonly saidAt: Date | null;
  readonly madeAt: Date;
  /** Tries that failed. */
  readonly tries: number;
  /** Effect → operation that the destination began and has not ended. */
  readonly operations: Readonly<Record<string, string>>;
  readonly identities: readonly Identity[];
}

/** A delivery before anybody looked at whom it is about. */
export interface DueDelivery extends Omit<Delivery, 'identities'> {
  readonly sealed: readonly { readonly type: string; readonly value: Buffer }[];
}

/** Throws MASTER_KEY_INVALID where an identity is damaged. */
export function opened(
  { sealed, ...delivery }: DueDelivery,
  openValue: (type: string, sealed: Buffer) => string,
): Delivery {
  return {
    ...delivery,
    identities: sealed.map(({ type, value }) => ({ type, value: openValue(type, value) })),
  };
}

interface DueRow {
  readonly subject: number;
  readonly version: string;
  readonly id: string;
  readonly known: string;
  readonly granted: string;
  readonly refused: string;
  readonly said_at: Date | null;
  readonly made_at: Date;
  readonly tries: number;
  readonly operations: Readonly<Record<string, string>> | null;
}

type Where = Pick<Destination, 'organizationId' | 'key' | 'identities'>;

/**
 * What is to be sent now, one half of it what waits longest and the other half what came last, so that nobody who says something waits until all
 * others are told; those that wait longest first. Identities in the order of their types; none: nobody is known any more.
 */
export async function dueDeliveries(
  db: Database,
  { organizationId, key, identities }: Where,
  { now, limit }: { readonly now: Date; readonly limit: number },
): Promise<readonly DueDelivery[]> {
  const half = (order: ReturnType<typeof sql>) => sql`
    (select subject, version::text, id::text, known::text, granted::text, refused::text, said_at, made_at, tries, operations, next_at
    from consent_deliveries
    where organization_id = ${organizationId} and destination = ${key} and state = 'waiting' and next_at <= ${now}
    order by ${order} limit ${Math.ceil(limit / 2)})`;
  const { rows } = await sql<DueRow>`
    ${half(sql`next_at`)} union ${half(sql`next_at desc`)} order by next_at, subject`.execute(db);
  if (rows.length === 0) return [];
  const { rows: found } = await sql<{ subject: number; type: string; sealed_value: Buffer }>`
    select subject, type, sealed_value from consent_identities
    where organization_id = ${organizationId} and subject = any(${rows.map((row) => row.subject)}::integer[])
      and type = any(${identities}::text[])
    order by type, digest`.execute(db);
  const bySubject = Map.groupBy(found, ({ subject }) => subject);
  return rows.map((row) => ({
    subject: row.subject,
    version: row.version,
    id: row.id,
    known: BigInt(row.known),
    granted: BigInt(row.granted),
    refused: BigInt(row.refused),
    saidAt: row.said_at,
    madeAt: row.made_at,
    tries: row.tries,
    operations: row.operations ?? {},
    sealed: (bySubject.get(row.subject) ?? []).map(({ type, sealed_value: value }) => ({ type, value })),
  }));
}

/** When the next one is to be sent; undefined: none waits. */
export async function nextDue(db: Database, { organizationId, key }: Where): Promise<Date | undefined> {
  const { rows } = await sql<{ next: Date | null }>`
    select min(next_at) as next from consent_deliveries
    where organization_id = ${organizationId} and destination = ${key} and state = 'waiting'`.execute(db);
  return rows[0]?.next ?? undefined;
}

type Sent = Pick<Delivery, 'subject' | 'version'>;

/** Only of the state that was sent: where another one took its place meanwhile, nothing changes. */
const isStill = ({ organizationId, key }: Where, { subject, version }: Sent) => sql`
  organization_id = ${organizationId} and destination = ${key} and subject = ${subject}
  and version = ${version}::bigint and state = 'waiting'`;

export interface TakenDelivery {
  /** The destination has it, or has taken it and will say so later. */
  readonly state: 'acknowledged' | 'sent';
  /** See {@link Delivery.refused}; from now on. */
  readonly refused: bigint;
}

/** The destination took what it was sent. */
export async function noteTaken(
  db: Database,
  where: Where,
  sent: Sent,
  { state, refused }: TakenDelivery,
): Promise<void> {
  await sql`
    update consent_deliveries set state = ${state}, refused = ${refused.toString()}::bigint, operations = null, outage = false, error = null
    where ${isStill(where, sent)}`.execute(db);
}

/** The destination has begun, and is asked again. */
export async function notePending(
  db: Database,
  where: Where,
  sent: Sent,
  again: { readonly operations: Readonly<Record<string, string>>; readonly at: Date },
): Promise<void> {
  await sql`
    update consent_deliveries set operations = ${JSON.stringify(again.operations)}::jsonb, next_at = ${again.at}, error = null
    where ${isStill(where, sent)}`.execute(db);
}

/** Nobody is there whom the destination could be told about. */
export async function forgetDelivery(db: Database, where: Where, sent: Sent): Promise<void> {
  await sql`delete from consent_deliveries where ${isStill(where, sent)}`.execute(db);
}

export interface FailedDelivery {
  readonly error: HabeasError;
  /** null: it was the last one. */
  readonly nextAt: Date | null;
  readonly now: Date;
}

/** The destination did not take it. Of the first one that is given up there is an event; of others while it is so, none. */
export async function noteFailed(
  db: Database,
  where: Where,
  sent: Sent,
  { error, nextAt, now }: FailedDelivery,
): Promise<void> {
  const { organizationId, key } = where;
  const told = `${error.code}: ${error.message}`.replaceAll('\0', '');
  await db.transaction().execute(async (transaction) => {
    const { rows } = await sql`
      update consent_deliveries set tries = tries + 1, outage = ${error.retryable}, error = ${told},
        state = case when ${nextAt}::timestamptz is null then 'given_up' else state end, next_at = coalesce(${nextAt}, next_at)
      where ${isStill(where, sent)} returning 1`.execute(transaction);
    if (rows.length === 0 || nextAt !== null) return;
    const { rows: others } = await sql`
      select from consent_deliveries where organization_id = ${organizationId} and destination = ${key}
        and state = 'given_up' and subject <> ${sent.subject} limit 1`.execute(transaction);
    if (others.length > 0) return;
    await publishGivenUp(transaction, where, { code: error.code, now });
  });
}

/** Says that a destination is not told of what people say. */
export async function publishGivenUp(
  transaction: Database,
  { organizationId, key }: Where,
  { code, now }: { readonly code: HabeasError['code']; readonly now: Date },
): Promise<void> {
  const data = { destination: key, error_code: code };
  await publish(transaction, [{ organizationId, type: 'consent.delivery-given-up', data }], now);
}

/** The destination takes messages again: what it missed because it was away has waited long enough. */
export async function hurryDeliveries(
  db: Database,
  { organizationId, key }: Where,
  now: Date,
): Promise<void> {
  await sql`
    update consent_deliveries set next_at = ${now}, outage = false
    where organization_id = ${organizationId} and destination = ${key} and state = 'waiting' and outage and next_at > ${now}`.execute(
    db,
  );
}
