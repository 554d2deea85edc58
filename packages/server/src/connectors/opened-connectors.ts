import type { Clock, Logger } from '../foundation/index.ts';
import type { Connector } from './connector.ts';

/** Connectors by what they were opened with, each opened once for as long as it is used. */
export interface OpenedConnectors {
  /** The one of that name; `make` opens it if there is none. */
  get<Opened extends Connector>(name: string, make: () => Opened): Opened;
  close(): Promise<void>;
}

/** Longer than any task works with what it was given. */
const UNUSED_MILLISECONDS = 86_400_000;

/**
 * Each set of datasets and rules that a plan froze opens a connector of its own, and a service that moves another one. What nobody asked
 * for in a day is closed when the next one is opened, so that only what a day needs is open.
 */
export function createOpenedConnectors(options: {
  readonly clock: Clock;
  readonly logger: Logger;
}): OpenedConnectors {
  const opened = new Map<string, { readonly connector: Connector; askedAt: number }>();

  const closeUnused = (now: number): void => {
    for (const [name, { connector, askedAt }] of opened) {
      if (now - askedAt < UNUSED_MILLISECONDS) continue;
      opened.delete(name);
      connector
        .close()
        .catch((error: unknown) =>
          options.logger.warn({ err: error }, 'a connector that is not used any more could not be closed'),
        );
    }
  };
  return {
    get<Opened extends Connector>(name: string, make: () => Opened): Opened {
      const now = options.clock.now().getTime();
      const known = opened.get(name);
      if (known !== undefined) {
        known.askedAt = now;
        return known.connector as Opened;
      }
      closeUnused(now);
      const connector = make();
      opened.set(name, { connector, askedAt: now });
      return connector;
    },
    async close() {
      await Promise.all([...opened.values()].map(({ connector }) => connector.close()));
    },
  };
}
