import type pg from 'pg';
import {
  type LiveTable,
  type Purge,
  quoteIdentifier,
  type SqlTransaction,
  type StoreResiduals,
  type StoreState,
} from '../../sql/index.ts';
import { fromPostgresError } from '../postgres-error.ts';

/** Which Redshift it is. */
export async function readRedshiftState(transaction: SqlTransaction): Promise<StoreState> {
  const [row] = await transaction.rows(
    `select version(), has_database_privilege(current_database(), 'temp')`,
  );
  const [version = '', mayCreate] = row ?? [];
  const [, number] = /\bRedshift ([\d.]+)/i.exec(version ?? '') ?? [];
  const problems: string[] = [];
  if (number === undefined)
    problems.push(
      'The server does not call itself Redshift: take `dialect: redshift` out of the options of the connection.',
    );
  if (mayCreate !== 't')
    problems.push('This user may not create temporary tables: grant it TEMP on the database.');
  return { version: `Redshift ${number ?? ''}`.trim(), problems };
}

const VIEWS = `select cast(count(*) as varchar(20)) from pg_catalog.pg_class c where substring(c.relname, 1, 8) = 'mv_tbl__'`;

/** Nobody but an administrator may read how long snapshots are kept. */
export async function readRedshiftResiduals(transaction: SqlTransaction): Promise<StoreResiduals> {
  const [row] = await transaction.rows(VIEWS);
  return {
    files: [
      {
        what: 'Rows that are marked as deleted in the blocks of the tables, until VACUUM DELETE, which Redshift also runs by itself.',
        until: null,
        copy: 'table-files',
      },
    ],
    logs: [
      {
        what: 'Snapshots of the cluster or the namespace, until they are deleted: automated ones after their retention period, manual ones by hand.',
        until: null,
        copy: 'snapshots',
      },
      ...(row?.[0] === '0'
        ? []
        : [
            {
              what: `${row?.[0]} materialized views, which have what they have of the rows until they are refreshed.`,
              until: null,
              copy: 'materialized-views',
            },
          ]),
    ],
  };
}

export interface RedshiftPurgeOptions {
  readonly pool: pg.Pool;
  readonly system: string;
  /** `vacuum` lets go of deleted rows; `vacuum full` sorts the tables too. */
  readonly way: 'vacuum' | 'vacuum full';
}

/** VACUUM after the erasure, on a connection of its own because it runs in no transaction. */
export function createRedshiftPurge(
  options: RedshiftPurgeOptions,
): (transaction: SqlTransaction, tables: readonly LiveTable[]) => Promise<Purge> {
  return async (_, tables) => () => vacuum(tables, options);
}

async function vacuum(tables: readonly LiveTable[], { pool, system, way }: RedshiftPurgeOptions) {
  const what = way === 'vacuum full' ? 'full' : 'delete only';
  let client: pg.PoolClient | undefined;
  try {
    client = await pool.connect();
    for (const { schema, table } of tables)
      await client.query(
        `vacuum ${what} ${quoteIdentifier(schema)}.${quoteIdentifier(table)} to 100 percent`,
      );
    return {
      isProven: false,
      note: `Its tables were vacuumed (VACUUM ${what.toUpperCase()} TO 100 PERCENT); nobody can see whether an older transaction kept what was erased.`,
    };
  } catch (error) {
    const { message } = fromPostgresError(error, system);
    return {
      isProven: false,
      note: `The erasure is done, but its tables could not be vacuumed: ${message}`,
    };
  } finally {
    client?.release(true);
  }
}
