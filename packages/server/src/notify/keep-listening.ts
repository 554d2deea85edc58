import pg from 'pg';
import { type Logger, pause } from '../foundation/index.ts';

export interface KeepListeningOptions {
  /** One of its connections is kept for as long as this runs. */
  readonly pool: pg.Pool;
  readonly channel: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Something was announced, or may have been while nobody listened. */
  onNews(): void;
}

const FIRST_PAUSE_MILLISECONDS = 100;
const LONGEST_PAUSE_MILLISECONDS = 10_000;

/** LISTENs until the signal is aborted; takes a new connection, with growing pauses, whenever one is lost. */
export async function keepListening(options: KeepListeningOptions): Promise<void> {
  let rest = FIRST_PAUSE_MILLISECONDS;
  const onListening = () => {
    rest = FIRST_PAUSE_MILLISECONDS;
    options.onNews();
  };
  while (!options.signal.aborted) {
    try {
      await listenOnce(options, onListening);
    } catch (error) {
      options.logger.warn({ err: error }, 'The connection that listens for events was lost; taking another');
    }
    await pause(rest, options.signal);
    rest = Math.min(rest * 2, LONGEST_PAUSE_MILLISECONDS);
  }
}

/** Resolves when the signal is aborted or the server ends the connection; rejects when the connection breaks. */
async function listenOnce(options: KeepListeningOptions, onListening: () => void): Promise<void> {
  const client = await options.pool.connect();
  const ended = Promise.withResolvers<void>();
  // Without a handler for what comes later, a broken connection would end the process.
  ended.promise.catch(() => undefined);
  const end = () => ended.resolve();
  client.on('error', ended.reject);
  client.on('end', end);
  client.on('notification', options.onNews);
  options.signal.addEventListener('abort', end);
  try {
    if (options.signal.aborted) return;
    await client.query(`listen ${pg.escapeIdentifier(options.channel)}`);
    onListening();
    await ended.promise;
  } finally {
    options.signal.removeEventListener('abort', end);
    client.off('notification', options.onNews);
    // The connection has a LISTEN on it, so it must not serve anybody else.
    client.release(true);
  }
}
