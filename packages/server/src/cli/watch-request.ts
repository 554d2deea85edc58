import type { api } from '@habeas/contract';
import type { ApiClient } from './api-client.ts';
import { followEvents } from './event-client.ts';
import { untilAborted } from './until-aborted.ts';

/** A request and its tasks at one moment. */
export interface RequestSnapshot {
  readonly request: api.RequestView;
  readonly tasks: readonly api.TaskView[];
}

export interface WatchOptions {
  readonly requestId: string;
  readonly signal: AbortSignal;
}

/**
 * The request now, and again whenever something happened to it. Events only say that there is something new; the
 * state is read, so that what is shown is what is stored. Several events that come at once are one reading.
 */
export async function* watchRequest(
  client: ApiClient,
  options: WatchOptions,
): AsyncGenerator<RequestSnapshot> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  let news = Promise.withResolvers<void>();
  const listen = async () => {
    for await (const _event of followEvents(client.server, { requestId: options.requestId, signal }))
      news.resolve();
  };
  const listening = listen();
  // A stream that fails for good ends the watching with its error; without a handler it would end the process.
  listening.catch((error: unknown) => news.reject(error));
  try {
    while (!signal.aborted) {
      const [request, tasks] = await Promise.all([
        client.getRequest(options.requestId),
        client.listTasks(options.requestId),
      ]);
      yield { request, tasks };
      await Promise.race([news.promise, untilAborted(signal)]);
      news = Promise.withResolvers();
    }
  } finally {
    stop.abort();
    await listening.catch(() => undefined);
  }
}
