import { type RawBuilder, sql } from 'kysely';
import type { Database } from './database.ts';
import { kept } from './habeas-client.ts';

export interface Frontier {
  /** No row at or under this number can appear later. */
  readonly settled: number;
  /** The last number that was given out. Greater than `settled` while somebody writes. */
  readonly given: number;
}

/** How far a table can be read by its sequence without passing over a row of a transaction that is under way. */
export interface CommitFrontier {
  /**
   * An expression for a writer's select or function. It must be evaluated before the transaction takes its first number, and notes under
   * which number nothing of this transaction can lie, for as long as the transaction runs. From then on PostgreSQL ends the
   * transaction if nothing is asked in it for `idleMilliseconds`: it would hold back everybody.
   */
  readonly register: RawBuilder<unknown>;
  read(db: Database): Promise<Frontier>;
  /** Transactions that hold the frontier back, the oldest first. */
  holding(db: Database): Promise<readonly Holding[]>;
}

/** A transaction that holds rows back. */
export interface Holding {
  /** Of PostgreSQL's process. */
  readonly pid: number;
  /** How its connection calls itself: `habeas`. */
  readonly application: string;
  /** `active`, or `idle in transaction`. */
  readonly state: string;
  /** Since it began. */
  readonly seconds: number;
}

/** No transaction of Habeas waits for anything but the database in the middle. */
const IDLE_MILLISECONDS = 60_000;

/** The second half of a lock has 31 bits for the last number that was given when the writer began. */
const LOCK_MASK = 0x7fff_ffff;

/**
 * Numbers of a sequence are given at once but become visible at commit, in another order. Writers say where they began by
 * shared advisory locks of the class `lockClass`, an arbitrary number that all Habeas servers agree on:
 *
 *     writer      lock L = last number ── take number s (> L) ── insert ── commit ── unlock
 *     reader      S = last number ── read locks ── settled = min(S, every L) ── read rows ≤ settled
 *
 * A row with s ≤ S had its lock before S was read. So either its writer is among the locks, and then settled ≤ L < s,
 * or it has ended before the locks were read, and then the row is visible or never will be. Nothing at or under
 * `settled` can appear later. Unlike a wait for `pg_snapshot_xmin`, no transaction of another program, table or database
 * holds rows back, and numbers stay true after a dump and restore.
 */
export function commitFrontier(options: {
  readonly lockClass: number;
  /** Name of the sequence that numbers the rows. */
  readonly sequence: string;
  /** How long a writer's transaction may stand still. (Default: one minute) */
  readonly idleMilliseconds?: number;
}): CommitFrontier {
  const idle = String(options.idleMilliseconds ?? IDLE_MILLISECONDS);
  const lockClass = sql`${sql.lit(options.lockClass)}::int`;
  // Whether its transaction ended or not: sequences are read outside snapshots.
  const last = sql`
    (select case when is_called then last_value else last_value - 1 end from ${sql.table(options.sequence)})`;
  return {
    // Without a subquery, so that a function computes it without a statement. Null: no number was given yet.
    register: sql`
      pg_advisory_xact_lock_shared(${lockClass},
        (coalesce(pg_sequence_last_value(${sql.lit(options.sequence)}::regclass), 0) & ${sql.lit(LOCK_MASK)}::bigint)::int) is not null
      and set_config('idle_in_transaction_session_timeout', ${sql.lit(idle)}, true) is not null`,
    async read(db) {
      // Two statements: the locks must be read after the number.
      const number = await sql<{ given: number }>`${kept} select ${last} as given`.execute(db);
      const given = number.rows[0]?.given ?? 0;
      const locks = await sql<{ behind: number | null }>`${kept}
        select max(behind) as behind
        from (
          select (${given}::bigint - objid::bigint) & ${sql.lit(LOCK_MASK)}::bigint as behind
          from pg_locks
          where locktype = 'advisory'
            and classid = ${lockClass}
            and objsubid = 2
            and database = (select oid from pg_database where datname = current_database())
        ) as writers
        -- A writer that began after the number was read is ahead of it; modulo 2^31 that is a great distance.
        where behind < ${sql.lit((LOCK_MASK + 1) / 2)}::bigint`.execute(db);
      return { settled: given - (locks.rows[0]?.behind ?? 0), given };
    },
    async holding(db) {
      const { rows } = await sql<Holding>`
        select a.pid, a.application_name as application, a.state,
          extract(epoch from clock_timestamp() - a.xact_start)::float8 as seconds
        from pg_locks l
        join pg_stat_activity a on a.pid = l.pid
        where l.locktype = 'advisory' and l.classid = ${lockClass} and l.objsubid = 2
          and l.database = (select oid from pg_database where datname = current_database())
        order by a.xact_start`.execute(db);
      return rows;
    },
  };
}
