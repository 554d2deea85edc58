import { createClient, ErrorReply, RESP_TYPES } from '@redis/client';
import { HabeasError } from '../../foundation/index.ts';

/** What Redis answers, every text as bytes. */
export type Reply = Buffer | string | number | null | readonly Reply[];

/** Asks one Redis server; connects when it is asked first, and again after a connection was lost. */
export interface RedisClient {
  /** Throws a HabeasError without a word of what was asked. The signal ends the wait. */
  ask(command: readonly (string | Buffer)[], signal: AbortSignal): Promise<Reply>;
  close(): Promise<void>;
}

const CONNECT_MILLISECONDS = 10_000;

export function createRedisClient({
  url,
  key,
}: {
  readonly url: string;
  /** How messages name the connection. */
  readonly key: string;
}): RedisClient {
  let opened: ReturnType<typeof open> | undefined;

  /** A connection of its own for each life: what is lost is made anew by the next question, not behind its back. */
  function open() {
    const client = createClient({
      url,
      RESP: 2,
      socket: { connectTimeout: CONNECT_MILLISECONDS, reconnectStrategy: false },
      disableOfflineQueue: true,
      maintNotifications: 'disabled',
    });
    // Each question rejects with the error of its connection; this one is told besides, and would end the process.
    client.on('error', () => {
      if (opened?.client === client) opened = undefined;
    });
    return { client, ready: client.connect() };
  }

  return {
    async ask(command, signal) {
      signal.throwIfAborted();
      opened ??= open();
      const mine = opened;
      try {
        await untilAborted(mine.ready, signal);
        const sent = mine.client.sendCommand<Reply>([...command], {
          typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.SIMPLE_STRING]: String },
        });
        return await untilAborted(sent, signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (!(error instanceof ErrorReply) && opened === mine) opened = undefined;
        throw fromRedisError(error, key);
      }
    },
    async close() {
      const last = opened;
      opened = undefined;
      if (last?.client.isOpen === true) last.client.destroy();
    },
  };
}

async function untilAborted<Value>(value: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([value, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** By the word that an error of Redis begins with; the rest of it may quote what was asked. */
const SAYINGS: Readonly<
  Record<
    string,
    { readonly code: 'SYSTEM_REFUSED' | 'SYSTEM_FAILED'; readonly text: string; readonly retryable: boolean }
  >
> = {
  WRONGPASS: { code: 'SYSTEM_REFUSED', text: 'refuses the user or the password of `url`', retryable: false },
  NOAUTH: {
    code: 'SYSTEM_REFUSED',
    text: 'wants a password: give `url` one, as in redis://user:password@host:6379/0',
    retryable: false,
  },
  NOPERM: {
    code: 'SYSTEM_REFUSED',
    text: 'does not let the user of `url` do that: its ACL has to allow +@read, +scan, +unlink, +hdel, +srem, +zrem, +lrem and +xdel on the keys of the dataset',
    retryable: false,
  },
  READONLY: {
    code: 'SYSTEM_REFUSED',
    text: 'is a read replica: give `url` the address of its primary',
    retryable: false,
  },
  MOVED: {
    code: 'SYSTEM_REFUSED',
    text: 'is a node of a cluster, which has only some of the keys; clusters are not supported',
    retryable: false,
  },
};

function fromRedisError(error: unknown, key: string): unknown {
  if (error instanceof HabeasError) return error;
  if (!(error instanceof ErrorReply)) {
    return new HabeasError(
      'SYSTEM_UNREACHABLE',
      `Redis of ${key} cannot be reached. Is it running, and is its address right?`,
      { cause: error, retryable: true },
    );
  }
  const [word = ''] = /^[A-Z]+/.exec(error.message) ?? [];
  const known = SAYINGS[word];
  return new HabeasError(
    known?.code ?? 'SYSTEM_FAILED',
    `Redis of ${key} ${known?.text ?? `failed${word === '' ? '' : ` with ${word}`}`}.`,
    { cause: error, retryable: known?.retryable ?? true },
  );
}
