import type { Clock, Database, Logger } from '../foundation/index.ts';
import { tellAlerts, type WatchedState } from './watch-store.ts';

export interface CreateWatchOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly organizationId: string;
  readonly logger: Logger;
  readonly watched: () => Promise<WatchedState>;
}

/**
 * Looks at the whole map, unless it is as it was at the last look, and tells what appeared. A failure is logged and not thrown:
 * what it did not tell, the next look tells, because what was told is stored with its events.
 */
export function createWatch(options: CreateWatchOptions): () => Promise<void> {
  const { db, clock, organizationId, logger } = options;
  let seen: string | undefined;
  return async () => {
    try {
      if ((await options.watched()).version === seen) return;
      const { told, state } = await tellAlerts(db, {
        organizationId,
        look: options.watched,
        now: clock.now(),
      });
      seen = state.version;
      if (told > 0) logger.info({ told }, 'The map has something to tell teams');
    } catch (error) {
      logger.error({ err: error }, 'The map could not be watched; trying again after the next poll');
    }
  };
}
