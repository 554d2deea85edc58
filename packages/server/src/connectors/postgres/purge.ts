import type pg from 'pg';
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
  readonly tables: readonly LiveTable[];
}

const LOCK_TIMEOUT = '30s';

/**
 * Whether a transaction that is older than the erasure may still see what was erased, so that VACUUM keeps it: one that runs, a
 * snapshot, a replica that answers questions, a slot, a prepared one. `unknown`: this user may not see all of them.
 */
const OLDER = `
  select exists (select 1 from pg_stat_activity a
                  where a.pid <> pg_backend_pid() and (a.datname is null or a.datname = current_database())
                    and (age(a.backend_xid) >= age($1::xid) or age(a.backend_xmin) >= age($1::xid)))
      or exists (select 1 from pg_replication_slots s where age(s.xmin) >= age($1::xid))
      or exists (select 1 from pg_prepared_xacts p where age(p.transaction) >= age($1::xid)) as older,
         exists (select 1 from pg_stat_activity a where a.query = '<insufficient privilege>') as unknown`;

/** The files of tables and of all their partitions. */
const FILES = `
  select c.oid::text, c.relfilenode::text from pg_class c
   where c.oid in (select relid from unnest($1::regclass[]) t cross join lateral pg_partition_tree(t) where isleaf
                   union select t from unnest($1::regclass[]) t)
     and c.relkind = 'r'`;

/** Remembers which transaction erases; VACUUM cannot run in one, so it comes after the commit, on a connection of its own. */
export async function preparePurge(transaction: SqlTransaction, options: PurgeOptions): Promise<Purge> {
  const [row] = await transaction.rows('select pg_current_xact_id()::xid::text');
  const erasure = row?.[0] ?? '';
  return async () => {
    let client: pg.PoolClient | undefined;
    try {
      client = await options.pool.connect();
      return await vacuum(client, erasure, options);
    } catch (error) {
      const { message } = fromPostgresError(error, options.system);
      return {
        isProven: false,
        note: `The erasure is done, but its tables could not be vacuumed: ${message}`,
      };
    } finally {
      client?.release(true);
    }
  };
}

async function vacuum(client: pg.PoolClient, erasure: string, options: PurgeOptions): Promise<Purged> {
  const { way } = options;
  const names = options.tables.map(
    ({ schema, table }) => `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`,
  );
  await client.query(`set lock_timeout = '${LOCK_TIMEOUT}'`);
  const { rows } = await client.query<{ older: boolean; unknown: boolean }>(OLDER, [erasure]);
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
  const { older = true, unknown = true } = rows[0] ?? {};
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
