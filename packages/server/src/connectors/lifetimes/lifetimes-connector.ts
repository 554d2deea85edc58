import { HabeasError } from '../../foundation/index.ts';
import type { ConnectionSettings } from '../connection-kind.ts';
import type { CollectStep, Connector, Outcome, Residual } from '../connector.ts';
import { usableCollections } from '../usable-collections.ts';
import { compileLifetimes, type LifetimeCollection, type PlaceKey } from './compile-lifetimes.ts';
import { inWords } from './in-words.ts';
import type { LifetimeStore, StoreLifetime } from './lifetime-store.ts';
import { openMemcached } from './memcached-store.ts';
import { openNatsStore } from './nats-store.ts';
import { openRabbitmq } from './rabbitmq-store.ts';

const CHECK_MILLISECONDS = 30_000;

/** Knows how long the items of a memcached live. `url`: `memcached://cache.internal:11211`. */
export function createMemcachedConnector(settings: ConnectionSettings): Connector {
  return createLifetimesConnector(settings, openMemcached(settings), 'keys');
}

/** Knows how long the messages in queues of RabbitMQ live. `url`: its management API and the virtual host. */
export function createRabbitmqConnector(settings: ConnectionSettings): Connector {
  return createLifetimesConnector(settings, openRabbitmq(settings), 'queue');
}

/** Knows how long the messages in streams of NATS JetStream live. `url`: `nats://user:password@nats.internal:4222`. */
export function createNatsConnector(settings: ConnectionSettings): Connector {
  return createLifetimesConnector(settings, openNatsStore(settings), 'stream');
}

/**
 * A store in which nobody can be found and nothing of one person be deleted: its data ends by itself. An erasure tells until when, and nothing
 * is claimed to be erased.
 */
function createLifetimesConnector(
  { key, datasets, clock }: ConnectionSettings,
  store: LifetimeStore,
  place: PlaceKey,
): Connector {
  const compiled = () => compileLifetimes(datasets, { key: place, isRequired: place === 'keys' });
  const usable = () => usableCollections(key, compiled());

  const residualOf = async (collection: LifetimeCollection, signal: AbortSignal): Promise<Residual> => {
    const said = await store.lifetimeOf(collection, signal);
    // What the store does is what happens, whatever is declared.
    const maxAge = said === undefined ? collection.maxAge : said.maxAge;
    const what = `${store.things} of ${collection.name}, in which nobody can be looked for`;
    const onward = said?.goesOn === undefined ? '' : `; what ends goes on to ${said.goesOn}`;
    return maxAge === undefined
      ? { what: `${what}: nothing there ends by itself${onward}.`, until: null }
      : {
          what: `${what}: each ends after ${inWords(maxAge)}, ${said === undefined ? 'as the dataset declares' : 'as the store is set'}${onward}.`,
          until: new Date(clock.now().getTime() + maxAge).toISOString(),
        };
  };

  return {
    capabilities: new Set(['collect', 'erase']),

    async check() {
      const signal = AbortSignal.timeout(CHECK_MILLISECONDS);
      try {
        const { collections, problems } = compiled();
        if (problems.length > 0)
          return { ok: false, message: `The datasets of ${key} have to be corrected.`, problems };
        const wrong = await Promise.all(
          collections.map(async (one) => contradiction(one, await store.lifetimeOf(one, signal))),
        );
        const found = [...wrong.flat(), ...(await store.overdue(collections, signal))];
        return found.length > 0
          ? { ok: false, message: `Data in ${key} lives longer than is declared.`, problems: found }
          : {
              ok: true,
              message: `The store of ${key} answers; ${collections.length} collections.`,
              problems: [],
            };
      } catch (error) {
        if (signal.aborted)
          return { ok: false, message: `The store of ${key} does not answer within 30 s.`, problems: [] };
        const known = HabeasError.from(error);
        return { ok: false, message: known.message, problems: known.details };
      }
    },

    async *collect(scope): AsyncGenerator<CollectStep> {
      scope.signal.throwIfAborted();
      const notes = usable().map(
        ({ name }) => `Nobody can be looked for in ${name}: its ${store.things} end by themselves.`,
      );
      yield { state: 'done', evidence: { matched: false, counts: {}, retained: [], residuals: [], notes } };
    },

    async erase(scope, mode): Promise<Outcome> {
      scope.signal.throwIfAborted();
      const collections = usable();
      const residuals =
        mode === 'dry-run' ? [] : await Promise.all(collections.map((one) => residualOf(one, scope.signal)));
      return {
        state: 'done',
        evidence: { matched: false, counts: {}, retained: [], residuals, notes: [] },
      };
    },

    verify: async () => ({ remaining: {}, retained: [] }),

    close: () => store.close(),
  };
}

/** Why what is declared cannot be right. */
function contradiction(
  { name, place, maxAge }: LifetimeCollection,
  said: StoreLifetime | undefined,
): readonly string[] {
  if (said === undefined) return [];
  if (said.maxAge === undefined)
    return [
      maxAge === undefined
        ? `Nothing in "${place}" ("${name}") ends by itself, and the dataset declares no \`max_age\`: set one at the store.`
        : `"${name}" is declared to end after ${inWords(maxAge)}, and nothing in "${place}" ends by itself: set it at the store.`,
    ];
  return maxAge !== undefined && maxAge < said.maxAge
    ? [
        `"${name}" is declared to end after ${inWords(maxAge)}, and "${place}" keeps it for ${inWords(said.maxAge)}: correct one of them.`,
      ]
    : [];
}
