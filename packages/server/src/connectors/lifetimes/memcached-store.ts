import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { HabeasError } from '../../foundation/index.ts';
import type { ConnectionSettings } from '../connection-kind.ts';
import type { LifetimeCollection } from './compile-lifetimes.ts';
import { inWords } from './in-words.ts';
import type { LifetimeStore } from './lifetime-store.ts';

const PORT = 11_211;
const CONNECT_MILLISECONDS = 10_000;
/** A check looks at so many items at most. */
const MOST_ITEMS = 200_000;

/** A memcached, spoken to in its text protocol. It has no setting for the longest life: each item brings its own end. */
export function openMemcached({ key, url, clock }: ConnectionSettings): LifetimeStore {
  const address = URL.parse(url);
  if (address === null || address.protocol !== 'memcached:' || address.hostname === '')
    throw new HabeasError(
      'CONFIG_INVALID',
      `The connection ${key} cannot be used. \`url\` is the address of the server, as memcached://cache.internal:11211. See docs/connect-lifetimes.md.`,
    );
  const at = { host: address.hostname, port: address.port === '' ? PORT : Number(address.port) };

  /** The lines of an answer, up to the one that ends it. */
  async function* answer(command: string, last: RegExp, signal: AbortSignal): AsyncGenerator<string> {
    signal.throwIfAborted();
    const socket = createConnection({ ...at, signal });
    try {
      await connected(socket);
      socket.write(`${command}\r\n`);
      const lines = createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY });
      let failure: unknown;
      socket.on('error', (error) => {
        failure = error;
      });
      for await (const line of lines) {
        if (last.test(line)) return;
        yield line;
      }
      throw failure ?? new Error('The connection was closed.');
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof HabeasError) throw error;
      throw new HabeasError(
        'SYSTEM_UNREACHABLE',
        `The memcached of ${key} cannot be reached. Is it running, and is its address right?`,
        { cause: error, retryable: true },
      );
    } finally {
      socket.destroy();
    }
  }

  return {
    things: 'items',
    lifetimeOf: async () => undefined,
    async overdue(collections, signal) {
      for await (const _ of answer('version', /^VERSION /, signal))
        throw new HabeasError(
          'SYSTEM_GARBAGE',
          `What answers at the address of ${key} is no memcached, or one that asks for a password.`,
        );
      const counts = new Map<string, number>();
      const now = clock.now().getTime();
      let looked = 0;
      for await (const line of answer(
        'lru_crawler metadump all',
        /^(?:END|ERROR|CLIENT_ERROR|BUSY)/,
        signal,
      )) {
        looked += 1;
        for (const collection of collections)
          if (isOverdue(line, collection, now))
            counts.set(collection.name, (counts.get(collection.name) ?? 0) + 1);
        if (looked >= MOST_ITEMS) break;
      }
      return collections.flatMap(({ name, maxAge = 0 }) => {
        const count = counts.get(name) ?? 0;
        return count === 0
          ? []
          : [
              `${count} items of "${name}", which is declared to end after ${inWords(maxAge)}, have no end or a later one (${looked} items were looked at).`,
            ];
      });
    },
    close: async () => undefined,
  };
}

async function connected(socket: Socket): Promise<void> {
  socket.setTimeout(CONNECT_MILLISECONDS, () => socket.destroy(new Error('It did not answer.')));
  await once(socket, 'connect');
}

/** A line as `key=session%3A7 exp=1700000000 la=… …`; -1 is no end. The key is only compared. */
function isOverdue(line: string, { place, maxAge = 0 }: LifetimeCollection, now: number): boolean {
  const [, key, end] = /^key=(\S*) exp=(-?\d+) /.exec(line) ?? [];
  if (key === undefined || end === undefined || !decoded(key).startsWith(place)) return false;
  // Ends are whole seconds.
  return end === '-1' || Number(end) * 1_000 > now + maxAge + 1_000;
}

/** Keys are any bytes; those that are no text begin with nothing that is declared. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
