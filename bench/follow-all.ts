import { setTimeout as delay } from 'node:timers/promises';
import type { api } from '@habeas/contract';
import { parseEventStream } from '../packages/server/src/cli/event-client.ts';
import { send } from '../packages/server/src/cli/http-client.ts';

/** Hands on every event of the server from the first one, across restarts, until the signal is aborted. */
export async function followAll(
  server: { readonly url: string; readonly key: string },
  options: { readonly signal: AbortSignal; readonly onEvent: (event: api.StreamEvent) => void },
): Promise<void> {
  const { signal, onEvent } = options;
  let last = '0';
  while (!signal.aborted) {
    try {
      const headers = { accept: 'text/event-stream', 'last-event-id': last };
      const response = await send(server, { method: 'GET', path: '/api/v1/events', headers, signal });
      for await (const { id, event } of parseEventStream(response.body ?? [])) {
        last = id;
        onEvent(event);
      }
    } catch {
      // The server is away, or was killed in the middle; its next life goes on after `last`.
    }
    if (!signal.aborted) await delay(50, undefined, { signal }).catch(() => undefined);
  }
}
