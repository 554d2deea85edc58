import { randomUUID } from 'node:crypto';
import type { api } from '@habeas/contract';
import { type ApiClient, createApiClient } from '../packages/server/src/cli/api-client.ts';
import { followEvents } from '../packages/server/src/cli/event-client.ts';

/** Makes a request and waits for its end, which is when its last event comes. Throws unless it is completed. */
export async function askAndWait(
  server: { readonly url: string; readonly key: string },
  ask: { readonly right: 'access' | 'erasure'; readonly email: string; readonly dryRun?: boolean },
): Promise<Answered> {
  const client = createApiClient(server);
  const start = performance.now();
  const identities = [{ type: 'email', value: ask.email }];
  const { id } = await client.createRequest(
    { right: ask.right, identities, dry_run: ask.dryRun ?? false },
    randomUUID(),
  );
  const controller = new AbortController();
  for await (const { data } of followEvents(client.server, { requestId: id, signal: controller.signal })) {
    if (data.state === 'completed')
      return { milliseconds: performance.now() - start, ...(await ended(client, id)) };
    if (data.state === 'blocked') break;
  }
  const { tasks } = await ended(client, id);
  const errors = tasks.flatMap(({ key, error }) => (error === null ? [] : [`${key}: ${error.message}`]));
  throw new Error(`The request is not completed. ${errors.join(' ')}`);
}

export interface Answered extends Ended {
  /** From the call that made it to its end. */
  readonly milliseconds: number;
}

interface Ended {
  readonly request: api.RequestView;
  readonly tasks: readonly api.TaskView[];
}

async function ended(client: ApiClient, id: string): Promise<Ended> {
  return { request: await client.getRequest(id), tasks: await client.listTasks(id) };
}

/** Milliseconds that each kind of task took, in the order in which they ran. */
export function timesOf(tasks: readonly api.TaskView[]): string {
  const times = tasks.flatMap(({ kind, started_at, ended_at }) => {
    if (started_at === null || ended_at === null || kind === 'gate') return [];
    return [`${kind} ${Date.parse(ended_at) - Date.parse(started_at)} ms`];
  });
  return times.join(', ');
}

/** How many rows the tasks of a kind acted on, in all collections of all systems. */
export function rowsOf(tasks: readonly api.TaskView[], kind: api.TaskKind): number {
  const counts = tasks.flatMap((task) =>
    task.kind === kind ? Object.values(task.evidence?.counts ?? {}) : [],
  );
  return counts.reduce((sum, rows) => sum + rows, 0);
}
