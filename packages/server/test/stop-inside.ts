import type pg from 'pg';
import { eventually } from './eventually.ts';

/** A place in a transaction of another session where it waits until it is let on. */
export interface Stop extends AsyncDisposable {
  /** Resolves when so many sessions wait there. */
  reached(sessions?: number): Promise<void>;
  letOn(): Promise<void>;
}

/** Makes transactions wait where they write to a table; `when`: only for such writes, as a condition of a trigger. */
export async function stopInside(
  pool: pg.Pool,
  at: {
    readonly table: string;
    readonly write: 'insert' | 'update';
    /** (Default: all) */
    readonly when?: string;
  },
): Promise<Stop> {
  const session = await pool.connect();
  const { rows } = await session.query('select pg_backend_pid() as pid');
  const lock = Number(rows[0].pid);
  await session.query(`select pg_advisory_lock(${lock})`);
  await session.query(`
    create function habeas.wait_here() returns trigger language plpgsql as $$
    begin perform pg_advisory_xact_lock_shared(${lock}); return new; end $$`);
  await session.query(`
    create trigger wait_here before ${at.write} on habeas.${at.table} for each row
    ${at.when === undefined ? '' : `when (${at.when})`} execute function habeas.wait_here()`);
  const letOn = async () => {
    await session.query('select pg_advisory_unlock_all()');
  };
  return {
    letOn,
    reached: (sessions = 1) =>
      eventually(`${sessions} wait inside`, async () => {
        const waiting = await session.query(
          `select count(*)::int as n from pg_locks where locktype = 'advisory' and objid = ${lock} and not granted`,
        );
        return waiting.rows[0].n >= sessions;
      }),
    async [Symbol.asyncDispose]() {
      await letOn();
      session.release();
    },
  };
}
