import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import type { api } from '@habeas/contract';
import type { StoredEvent } from '../notify/index.ts';

export interface EventStreamOptions {
  readonly events: AsyncIterable<StoredEvent>;
  /** A comment goes out this often, so that proxies keep the connection. Milliseconds. */
  readonly heartbeat: number;
  /** Ends the stream: the client left or the server stops. */
  readonly signal: AbortSignal;
  /** Told if the events end with an error; the client reconnects and goes on after the last id that it got. */
  readonly onError: (error: unknown) => void;
}

/** How long a browser waits before it connects again. */
const RETRY_MILLISECONDS = 2_000;

/**
 * Events as `text/event-stream` (HTML standard §9.2). The id is the position in the outbox, so that a client that
 * reconnects with `Last-Event-ID` misses nothing. A slow client slows the reading down; nothing is kept for it in memory.
 */
export function toEventStream(options: EventStreamOptions): Readable {
  const stream = new PassThrough();
  stream.write(`retry: ${RETRY_MILLISECONDS}\n\n`);
  const heartbeat = setInterval(() => {
    if (!stream.writableNeedDrain) stream.write(': still here\n\n');
  }, options.heartbeat);
  heartbeat.unref();
  stream.on('close', () => clearInterval(heartbeat));
  // A client that leaves destroys the stream in the middle of a write; there is nobody left to tell.
  stream.on('error', () => clearInterval(heartbeat));
  copyEvents(stream, options)
    .catch((error: unknown) => {
      if (!options.signal.aborted) options.onError(error);
    })
    .finally(() => stream.end());
  return stream;
}

async function copyEvents(stream: PassThrough, options: EventStreamOptions): Promise<void> {
  for await (const event of options.events) {
    if (options.signal.aborted || stream.destroyed) return;
    if (!stream.write(formatEvent(event))) await once(stream, 'drain', { signal: options.signal });
  }
}

/** One event in the format of the stream. */
export function formatEvent(event: StoredEvent): string {
  return `id: ${event.sequence}\ndata: ${JSON.stringify(eventView(event))}\n\n`;
}

export function eventView(event: StoredEvent): api.StreamEvent {
  return {
    id: event.id,
    at: event.at.toISOString(),
    type: event.type,
    request_id: event.requestId ?? null,
    data: { ...event.data },
  };
}
