import { sql } from 'kysely';
import { type Clock, type Database, type Logger, pause } from '../foundation/index.ts';
import type { CheckpointPlaces } from './checkpoint-place.ts';
import type { AuditLog } from './create-audit-log.ts';

export interface PublishCheckpointsOptions {
  readonly db: Database;
  readonly organizationId: string;
  readonly log: Pick<AuditLog, 'advance'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly everyMilliseconds: number;
  readonly places: Pick<CheckpointPlaces, 'write'> | undefined;
  /** Tells all others, in the transaction that notes that it was published. */
  readonly tell: (transaction: Database, checkpoint: PublishedCheckpoint) => Promise<void>;
  /** How often it is looked whether it is time. (Default: 1 minute, or the period if that is shorter) */
  readonly lookMilliseconds?: number | undefined;
}

export interface PublishedCheckpoint {
  readonly size: number;
  /** A signed note. */
  readonly checkpoint: string;
}

const LOOK_MILLISECONDS = 60_000;

export interface CheckpointPublisher {
  /** Publishes the newest checkpoint if it is time and the log grew; says whether it did. */
  publishIfDue(): Promise<boolean>;
  start(): void;
  stop(): Promise<void>;
}

/**
 * Publishes checkpoints now and then. Of several processes one does it. A folder or a bucket that cannot be written is tried
 * again before anybody is told; who is told by a message is told once, and again if need be, by whoever delivers messages.
 */
export function createCheckpointPublisher(options: PublishCheckpointsOptions): CheckpointPublisher {
  const { db, organizationId, clock, logger, everyMilliseconds } = options;
  const look = options.lookMilliseconds ?? Math.min(LOOK_MILLISECONDS, everyMilliseconds);
  const stopping = new AbortController();
  let running: Promise<void> | undefined;

  async function publishIfDue(): Promise<boolean> {
    const before = new Date(clock.now().getTime() - everyMilliseconds);
    const { rows } = await sql`
      select from audit_publications where organization_id = ${organizationId} and at > ${before}`.execute(
      db,
    );
    if (rows.length > 0) return false;
    const checkpoint = await options.log.advance();
    const size = Number(checkpoint.split('\n')[1]);
    if (size === 0) return false;
    await options.places?.write(size, checkpoint);
    return db.transaction().execute(async (transaction) => {
      const claimed = await sql`
        insert into audit_publications as p (organization_id, at, size)
        values (${organizationId}, ${clock.now()}, ${size})
        on conflict (organization_id) do update set at = excluded.at, size = excluded.size
          where p.at <= ${before} and p.size < excluded.size
        returning 1`.execute(transaction);
      // Another process was quicker, or nothing happened since.
      if (claimed.rows.length === 0) return false;
      await options.tell(transaction, { size, checkpoint });
      return true;
    });
  }

  async function keepUp(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await publishIfDue();
      } catch (error) {
        logger.error({ err: error }, 'a checkpoint of the audit log was not published; it is tried again');
      }
      await pause(look, stopping.signal);
    }
  }

  return {
    publishIfDue,
    start() {
      running ??= keepUp();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
