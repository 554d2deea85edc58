import type { Clock, Database, Logger } from '../foundation/index.ts';
import type { Alert } from './watch-alerts.ts';
import { tellAlerts } from './watch-store.ts';

export interface WatchMapOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly organizationId: string;
  readonly logger: Logger;
  /** All that is worth telling about the map as it is now. */
  readonly alerts: () => Promise<readonly Alert[]>;
}

/**
 * Looks at the whole map and tells what appeared. A failure is logged and not thrown: what it did not tell, the next look
 * tells, because what was told is stored with its events.
 */
export async function watchMap(options: WatchMapOptions): Promise<void> {
  const { db, clock, organizationId, logger } = options;
  try {
    const alerts = await options.alerts();
    const told = await tellAlerts(db, { organizationId, alerts, now: clock.now() });
    if (told > 0) logger.info({ told }, 'The map has something to tell teams');
  } catch (error) {
    logger.error({ err: error }, 'The map could not be watched; trying again after the next poll');
  }
}
