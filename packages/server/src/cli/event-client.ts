import { setTimeout as delay } from 'node:timers/promises';
import { api } from '@habeas/contract';
import { HabeasError } from '../foundation/errors.ts';
import { type ServerAddress, send } from './http-client.ts';

export interface FollowEventsOptions {
  readonly requestId: string;
  /** Ends the iteration without an error. */
  readonly signal: AbortSignal;
  /** How long to wait before connecting again. (Default: 1 second) */
  readonly retryMilliseconds?: number;
}

/**
 * The events of one request, from its first one on. Connects again where it was when the connection ends, for as
 * long as the server can be reached.
 */
export async function* followEvents(
  server: ServerAddress,
  options: FollowEventsOptions,
): AsyncGenerator<api.StreamEvent> {
  let last = '0';
  while (!options.signal.aborted) {
    try {
      const response = await send(server, {
        method: 'GET',
        path: `/api/v1/events?request_id=${encodeURIComponent(options.requestId)}`,
        headers: { accept: 'text/event-stream', 'last-event-id': last },
        signal: options.signal,
      });
      for await (const { id, event } of parseEventStream(response.body ?? [])) {
        last = id;
        yield event;
      }
    } catch (error) {
      if (options.signal.aborted) return;
      // A connection that breaks in the middle is connected again; an answer that says no is an answer.
      if (error instanceof HabeasError) throw error;
    }
    await delay(options.retryMilliseconds ?? 1_000, undefined, { signal: options.signal }).catch(
      () => undefined,
    );
  }
}

/** Reads `text/event-stream` (HTML standard §9.2.6) as the server writes it; what is no event is passed over. */
export async function* parseEventStream(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<{ readonly id: string; readonly event: api.StreamEvent }> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      const id = lineOf(block, 'id');
      const data = lineOf(block, 'data');
      if (id === undefined || data === undefined) continue;
      const event = api.streamEventSchema.safeParse(JSON.parse(data));
      if (event.success) yield { id, event: event.data };
    }
  }
}

/** Lines end where the server ends them: other ends of lines, such as U+2028, may stand in a text. */
function lineOf(block: string, name: string): string | undefined {
  const found = block.split('\n').find((line) => line.startsWith(`${name}:`));
  return found?.slice(name.length + 1).replace(/^ /, '');
}
