import { streamEventSchema } from '@habeas/contract/api';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { refresh } from './refresh.ts';

/** Lists are asked again at most this often, however much happens. */
const CALM_MILLISECONDS = 1_000;
/** A stream that the server refused (the session ended) is tried again after this. */
const AGAIN_MILLISECONDS = 5_000;

/**
 * Follows what happens, in one stream for the whole tab, and asks again for what it changed. The browser connects again by
 * itself and says which event it saw last (`Last-Event-ID`), so that nothing is missed.
 */
export function useLive(enabled: boolean): void {
  const client = useQueryClient();
  useEffect(() => {
    if (!enabled) return undefined;
    const changed = new Set<string>();
    let calm: ReturnType<typeof setTimeout> | undefined;
    let again: ReturnType<typeof setTimeout> | undefined;
    let stream: EventSource;
    let last: string | undefined;

    const readAgain = () => {
      calm = undefined;
      for (const id of changed) void client.invalidateQueries({ queryKey: ['request', id] });
      changed.clear();
      for (const list of ['requests', 'tickets']) void refresh(client, { queryKey: [list] });
    };
    const open = () => {
      stream = new EventSource(`/api/v1/events${last === undefined ? '' : `?after=${last}`}`);
      stream.onmessage = ({ data, lastEventId }) => {
        last = lastEventId;
        const event = streamEventSchema.safeParse(JSON.parse(data));
        if (event.data?.request_id) changed.add(event.data.request_id);
        calm ??= setTimeout(readAgain, CALM_MILLISECONDS);
      };
      stream.onerror = () => {
        if (stream.readyState === EventSource.CLOSED) again = setTimeout(open, AGAIN_MILLISECONDS);
      };
    };
    open();
    return () => {
      stream.close();
      clearTimeout(calm);
      clearTimeout(again);
    };
  }, [client, enabled]);
}
