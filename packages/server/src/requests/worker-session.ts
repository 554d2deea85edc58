import { randomInt } from 'node:crypto';
import { sql } from 'kysely';
import pg from 'pg';
import { type Database, HabeasError, type Logger } from '../foundation/index.ts';
import { DUE_CHANNEL, type DueNotice, type PauseNotice } from './due-tasks.ts';

/** The class of advisory locks that say "this worker lives"; an arbitrary number that all Habeas servers agree on. */
const LOCK_CLASS = 0x4841_4257;
const RECONNECT_MILLISECONDS = 1_000;
const CONNECT_MILLISECONDS = 10_000;

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
  let connecting: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const connect = async (): Promise<void> => {
    const next = new pg.Client({
      connectionString: options.databaseUrl,
      application_name: 'habeas worker',
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_MILLISECONDS,
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
    try {
      await live(next, options.worker);
      await next.query(`listen ${DUE_CHANNEL}`);
    } catch (error) {
      await next.end();
      throw error;
    }
    if (stopped) return next.end();
    client = next;
    options.onConnected();
  };
  const begin = (): Promise<void> => {
    connecting = connect();
    return connecting;
  };
  const reconnect = (): void => {
    if (stopped) return;
    timer = setTimeout(() => {
      begin().catch((error: unknown) => {
        options.logger.warn({ err: error }, 'the worker cannot connect to the database; it tries again');
        reconnect();
      });
    }, RECONNECT_MILLISECONDS);
  };

  return {
    start: begin,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      // One that is under way ends by itself, in seconds.
      await connecting?.catch(() => undefined);
      await client?.end();
    },
  };
}

/**
 * Takes the lock that says that the worker lives. It is not waited for: the server would not see that who waits has gone, and give the
 * lock to nobody.
 */
async function live(client: pg.Client, worker: string): Promise<void> {
  const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1, $2) as taken', [
    LOCK_CLASS,
    Number(worker),
  ]);
  if (rows[0]?.taken === true) return;
  throw new HabeasError(
    'UNAVAILABLE',
    'PostgreSQL has not missed the former connection of this worker yet.',
    { retryable: true },
  );
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
