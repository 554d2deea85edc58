import type { StoredEvent } from './outbox.ts';

/** The outbox as streams: each subscriber gets every event once, in order, first the stored ones and then the live ones. */
export interface EventFeed {
  subscribe(options: SubscribeOptions): AsyncIterable<StoredEvent>;
  /** Ends all subscriptions and the listening connection. Must come before the pool is closed. */
  close(): Promise<void>;
}

export interface SubscribeOptions {
  readonly organizationId: string;
  /** Only events of this request. */
  readonly requestId?: string | undefined;
  /** The sequence of the last event that the subscriber has; 0: from the first one. (Default: only what comes from now on) */
  readonly after?: number | undefined;
  /** Ends the stream, without an error. */
  readonly signal: AbortSignal;
}
