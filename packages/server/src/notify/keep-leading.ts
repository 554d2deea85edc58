import type pg from 'pg';
import { type Logger, pause } from '../foundation/index.ts';

/** First half of the advisory lock of the one process that may do a work; arbitrary numbers that all Habeas servers agree on. */
const LEADER_LOCKS = { receivers: 0x4841_424e, people: 0x4841_4250, consent: 0x4841_4251 } as const;

export interface KeepLeadingOptions {
  /** What only one process may do: tell receivers, tell people, or tell destinations of consent. */
  readonly work: keyof typeof LEADER_LOCKS;
  /** One of its connections is kept for as long as this process leads. */
  readonly pool: pg.Pool;
  readonly organizationId: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** How often the others look whether the leader is gone, in milliseconds. */
  readonly tryMilliseconds: number;
  /** What the leader does, until its signal is aborted because it leads no more or has to stop. */
  lead(signal: AbortSignal): Promise<void>;
}

/**
 * Does the work of the one process that may do it, whenever this process is the one, until the signal is aborted. PostgreSQL
 * drops the lock with its connection, so that another one takes over as soon as the leader is gone.
 */
export async function keepLeading(options: KeepLeadingOptions): Promise<void> {
  const { signal, logger, tryMilliseconds } = options;
  while (!signal.aborted) {
    try {
      await leadOnce(options);
    } catch (error) {
      if (!signal.aborted) logger.warn({ err: error }, 'Notifications are interrupted; trying again');
    }
    await pause(tryMilliseconds, signal);
  }
}

async function leadOnce({ work, pool, organizationId, signal, lead }: KeepLeadingOptions): Promise<void> {
  const client = await pool.connect();
  const lost = new AbortController();
  const lose = () => lost.abort();
  client.on('error', lose);
  client.on('end', lose);
  let leads = true;
  try {
    if (signal.aborted) return;
    const { rows } = await client.query<{ leads: boolean }>(
      'select pg_try_advisory_lock($1, hashtext($2)) as leads',
      [LEADER_LOCKS[work], organizationId],
    );
    leads = rows[0]?.leads === true;
    if (leads) await lead(AbortSignal.any([signal, lost.signal]));
  } finally {
    client.off('error', lose);
    client.off('end', lose);
    // The lock is its session's: the connection ends with it.
    client.release(leads);
  }
}
