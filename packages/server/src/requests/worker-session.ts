import { randomInt } from 'node:crypto';
import { sql } from 'kysely';
import pg from 'pg';
import type { Database, Logger } from '../foundation/index.ts';
import { DUE_CHANNEL, type DueNotice, type PauseNotice } from './due-tasks.ts';

/** The class of advisory locks that say "this worker lives"; an arbitrary number that all Habeas servers agree on. */
const LOCK_CLASS = 0x4841_4257;
const RECONNECT_MILLISECONDS = 1_000;

/** A name for the worker of a process: a number that fits an advisory lock. */
export function newWorker(): string {
  return String(randomInt(1, 2 ** 31 - 1));
}

/**
 * A worker's life line: one connection that holds an advisory lock named after the worker and listens for what is due. PostgreSQL
 * drops the lock with the connection, so a process that was killed is seen to be dead at once, without time-outs and clocks.
 */
export interface WorkerSession {
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createWorkerSession(options: {
  readonly worker: string;
  readonly databaseUrl: string;
  readonly logger: Logger;
  readonly onNotice: (notice: DueNotice | PauseNotice) => void;
  /** Something may have been missed: look everywhere. */
  readonly onConnected: () => void;
}): WorkerSession {
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const connect = async (): Promise<void> => {
    const next = new pg.Client({
      connectionString: options.databaseUrl,
      application_name: 'habeas worker',
      keepAlive: true,
    });
    next.on('notification', ({ payload }) => {
      if (payload !== undefined) options.onNotice(JSON.parse(payload));
    });
    next.on('error', () => undefined);
    next.on('end', () => {
      if (stopped || client !== next) return;
      client = undefined;
      options.logger.warn('the worker lost its connection; it connects again');
      reconnect();
    });
    await next.connect();
    if (stopped) return next.end();
    try {
      await next.query('select pg_advisory_lock($1, $2)', [LOCK_CLASS, Number(options.worker)]);
      await next.query(`listen ${DUE_CHANNEL}`);
    } catch (error) {
      await next.end();
      throw error;
    }
    client = next;
    options.onConnected();
  };
  const reconnect = (): void => {
    if (stopped) return;
    timer = setTimeout(() => {
      connect().catch((error: unknown) => {
        options.logger.warn({ err: error }, 'the worker cannot connect to the database; it tries again');
        reconnect();
      });
    }, RECONNECT_MILLISECONDS);
  };

  return {
    start: connect,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await client?.end();
    },
  };
}

/** Workers whose processes live, in this database. */
export async function livingWorkers(db: Database): Promise<readonly string[]> {
  const { rows } = await sql<{ worker: string }>`
    select objid::text as worker
    from pg_locks
    where locktype = 'advisory' and classid = ${LOCK_CLASS}::oid and objsubid = 2 and granted
      and database = (select oid from pg_database where datname = current_database())`.execute(db);
  return rows.map((row) => row.worker);
}
