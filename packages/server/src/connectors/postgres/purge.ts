import type pg from 'pg';
import { pause } from '../../foundation/index.ts';
import { type GatheredJob, gathered } from '../gathered.ts';
import {
  type LiveTable,
  type Purge,
  type Purged,
  quoteIdentifier,
  type SqlTransaction,
} from '../sql/index.ts';
import { fromPostgresError } from './postgres-error.ts';

export interface PurgeOptions {
  readonly pool: pg.Pool;
  readonly system: string;
  /**
   * `vacuum` lets go of former row versions, whose bytes stay in the free parts of pages until these are used. `vacuum full` writes the tables
   * anew and removes their former files; meanwhile nobody else can read them.
   */
  readonly way: 'vacuum' | 'vacuum full';
}

/** An erasure that was committed. */
interface Erasure extends GatheredJob {
  /** Its transaction's id. */
  readonly id: string;
  readonly tables: readonly LiveTable[];
}

const LOCK_TIMEOUT = '30s';
/** Erasures and readings of a moment end within it; who stays longer is not waited for. */
const PATIENCE_MILLISECONDS = 10_000;
const LOOK_MILLISECONDS = 50;

/**
 * Whether a transaction that is not younger than the last of the erasures may still see what was erased, so that VACUUM keeps it: one that
 * runs, a snapshot, a replica that answers questions, a slot, a prepared one. One that writes in another database counts as well: it holds
 * back the snapshot that VACUUM FULL itself takes, and so what that may remove. `unknown`: this user may not see all of them.
 */
const OLDER = `
  with last (age) as (select min(age(id)) from unnest($1::xid[]) id)
  select exists (select 1 from pg_stat_activity a, last
                  where a.pid <> pg_backend_pid()
                    and (age(a.backend_xid) >= last.age
                         or (a.datname is null or a.datname = current_database()) and age(a.backend_xmin) >= last.age))
      or exists (select 1 from pg_replication_slots s, last where age(s.xmin) >= last.age)
      or exists (select 1 from pg_prepared_xacts p, last where age(p.transaction) >= last.age) as older,
         exists (select 1 from pg_stat_activity a where a.query = '<insufficient privilege>') as unknown`;

/** The files of tables and of all their partitions. */
const FILES = `
  select c.oid::text, c.relfilenode::text from pg_class c
   where c.oid in (select relid from unnest($1::regclass[]) t cross join lateral pg_partition_tree(t) where isleaf
                   union select t from unnest($1::regclass[]) t)
     and c.relkind = 'r'`;

/**
 * Remembers which transaction erases; VACUUM cannot run in one, so it comes after the commit, on a connection of its own. Erasures that end
 * while one runs share the next.
 */
export function createPurge(
  options: PurgeOptions,
): (transaction: SqlTransaction, tables: readonly LiveTable[]) => Promise<Purge> {
  const vacuuming = gathered(async (erasures: readonly Erasure[]) => {
    const purged = await purge(erasures, options);
    return erasures.map(() => purged);
  });
  // Nobody may end it: the erasure is committed, and what became of it has to be told.
  const { signal } = new AbortController();
  return async (transaction, tables) => {
    const [row] = await transaction.rows('select pg_current_xact_id()::xid::text');
    return () => vacuuming({ id: row?.[0] ?? '', tables, signal });
  };
}

async function purge(erasures: readonly Erasure[], options: PurgeOptions): Promise<Purged> {
  let client: pg.PoolClient | undefined;
  try {
    client = await options.pool.connect();
    return await vacuum(client, erasures, options);
  } catch (error) {
    const { message } = fromPostgresError(error, options.system);
    return {
      isProven: false,
      note: `The erasure is done, but its tables could not be vacuumed: ${message}`,
    };
  } finally {
    client?.release(true);
  }
}

interface Others {
  readonly older: boolean;
  readonly unknown: boolean;
}

/** Waits a moment until nobody is left for whom VACUUM would keep what was erased: most are erasures and readings of our own. */
async function othersAfter(client: pg.PoolClient, erasures: readonly Erasure[]): Promise<Others> {
  const ids = erasures.map(({ id }) => id);
  const { signal } = new AbortController();
  const end = performance.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    const { rows } = await client.query<Others>(OLDER, [ids]);
    const others = rows[0] ?? { older: true, unknown: true };
    if (!others.older || performance.now() >= end) return others;
    await pause(LOOK_MILLISECONDS, signal);
  }
}

async function vacuum(
  client: pg.PoolClient,
  erasures: readonly Erasure[],
  { way }: PurgeOptions,
): Promise<Purged> {
  const names = [
    ...new Set(
      erasures
        .flatMap(({ tables }) => tables)
        .map(({ schema, table }) => `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`),
    ),
  ];
  await client.query(`set lock_timeout = '${LOCK_TIMEOUT}'`);
  const { older, unknown } = await othersAfter(client, erasures);
  const before = await filesOf(client, names);
  let refused = 0;
  client.on('notice', () => {
    // VACUUM leaves out, with a warning, a table that the user does not own.
    refused += 1;
  });
  await client.query(`set client_min_messages = warning`);
  // ANALYZE takes what was erased out of the planner's statistics too.
  for (const name of names)
    await client.query(`vacuum (${way === 'vacuum full' ? 'full, analyze' : 'analyze'}) ${name}`);
  const after = await filesOf(client, names);
  if (refused > 0)
    return {
      isProven: false,
      note: 'The user of the connection may not vacuum all tables of the erasure: make it their owner, or grant it MAINTAIN.',
    };
  if (way === 'vacuum')
    return {
      isProven: false,
      note: 'Its tables were vacuumed; bytes stay in free parts of pages until these are used.',
    };
  const isNew = [...before].every(([table, file]) => after.get(table) !== file);
  if (!isNew) return { isProven: false, note: 'PostgreSQL did not write all tables of the erasure anew.' };
  if (older || unknown)
    return {
      isProven: false,
      note: older
        ? 'Its tables were written anew, but an older transaction, slot or replica may still see what was erased, so that it was kept in them.'
        : 'Its tables were written anew, but this user may not see whether an older transaction kept what was erased: grant it pg_read_all_stats.',
    };
  return {
    isProven: true,
    note: 'Its tables were written anew (VACUUM FULL), and no older transaction was there to keep what was erased.',
  };
}

async function filesOf(
  client: pg.PoolClient,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ oid: string; relfilenode: string }>(FILES, [names]);
  return new Map(rows.map(({ oid, relfilenode }) => [oid, relfilenode]));
}
