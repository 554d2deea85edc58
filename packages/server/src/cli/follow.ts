import { HabeasError } from '../foundation/errors.ts';
import type { ApiClient } from './api-client.ts';
import type { CliContext } from './context.ts';
import { type RequestEnd, requestEnd } from './request-end.ts';
import { showProgress } from './show-progress.ts';
import { type RequestSnapshot, watchRequest } from './watch-request.ts';

export interface FollowOptions {
  readonly requestId: string;
  /** Shows nothing on the way. */
  readonly quiet: boolean;
  /** Called with every state; whoever plays a team answers its tickets here. */
  readonly onSnapshot?: (snapshot: RequestSnapshot) => Promise<void>;
  /** Goes on although only tickets are open, because somebody answers them. (Default: false) */
  readonly waitForTickets?: boolean;
}

/** Follows a request until it ends or nothing more happens by itself. */
export async function follow(
  context: CliContext,
  client: ApiClient,
  options: FollowOptions,
): Promise<{ readonly snapshot: RequestSnapshot; readonly end: RequestEnd }> {
  const progress = options.quiet ? undefined : showProgress(context);
  try {
    for await (const snapshot of watchRequest(client, {
      requestId: options.requestId,
      signal: context.signal,
    })) {
      progress?.show(snapshot);
      await options.onSnapshot?.(snapshot);
      const end = requestEnd(snapshot);
      const onlyTickets = end?.exit === 'blocked' && snapshot.request.state === 'running';
      if (end !== undefined && !(onlyTickets && options.waitForTickets === true)) return { snapshot, end };
    }
  } finally {
    progress?.finish();
  }
  throw new HabeasError('UNAVAILABLE', 'Stopped before the request ended. It goes on at the server.');
}
