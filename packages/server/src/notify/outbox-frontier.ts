import { sql } from 'kysely';
import type { Database } from '../foundation/index.ts';

/** Channel of NOTIFY: says that something new is in the outbox. */
export const OUTBOX_CHANNEL = 'habeas_outbox';

/** First half of the advisory locks by which publishers are known; an arbitrary number that all Habeas servers agree on. */
const PUBLISHER_LOCK = 0x4841_4246;

/** The second half of a lock has 31 bits for the last number that was given when the publisher began. */
const LOCK_MASK = 0x7fff_ffff;

/** The last number that was given out, whether its transaction ended or not. Sequences are read outside snapshots. */
const LAST_NUMBER = sql<number>`
  (select case when is_called then last_value else last_value - 1 end from outbox_events_sequence_seq)`;

/**
 * Must come before the transaction's first event: notes under which number nothing of this transaction can lie, for as
 * long as the transaction runs, and wakes listeners when it commits.
 *
 *     publisher   lock L = last number ── take number s (> L) ── insert ── commit ── unlock
 *     reader      S = last number ── read locks ── settled = min(S, every L) ── read events ≤ settled
 *
 * An event with s ≤ S had its lock before S was read. So either its publisher is among the locks, and then settled ≤ L < s,
 * or it has ended before the locks were read, and then the event is visible or never will be. Nothing at or under
 * `settled` can appear later. Unlike a wait for `pg_snapshot_xmin`, no transaction of another program, table or database
 * holds events back, and numbers stay true after a dump and restore.
 */
export async function registerPublisher(transaction: Database): Promise<void> {
  await sql`
    select
      pg_advisory_xact_lock_shared(${PUBLISHER_LOCK}::int, (${LAST_NUMBER} & ${LOCK_MASK}::bigint)::int),
      pg_notify(${OUTBOX_CHANNEL}, '')`.execute(transaction);
}

export interface OutboxFrontier {
  /** No event at or under this number can appear later. */
  readonly settled: number;
  /** The last number that was given out. Greater than `settled` while somebody publishes. */
  readonly given: number;
}

/** How far the outbox can be read without passing over an event of a transaction that is under way. */
export async function readFrontier(db: Database): Promise<OutboxFrontier> {
  // Two statements: the locks must be read after the number.
  const number = await sql<{ given: number }>`select ${LAST_NUMBER} as given`.execute(db);
  const given = number.rows[0]?.given ?? 0;
  const locks = await sql<{ behind: number | null }>`
    select max(behind) as behind
    from (
      select (${given}::bigint - objid::bigint) & ${LOCK_MASK}::bigint as behind
      from pg_locks
      where locktype = 'advisory'
        and classid = ${PUBLISHER_LOCK}::int
        and objsubid = 2
        and database = (select oid from pg_database where datname = current_database())
    ) as publishers
    -- A publisher that began after the number was read is ahead of it; modulo 2^31 that is a great distance.
    where behind < ${(LOCK_MASK + 1) / 2}::bigint`.execute(db);
  return { settled: given - (locks.rows[0]?.behind ?? 0), given };
}
