import type { api } from '@habeas/contract';
import { eventually } from '../eventually.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON. */
  json<Body>(): Body;
}

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string | Uint8Array<ArrayBuffer>;
}

/** The REST API of one server, as any HTTP client sees it. */
export interface Api {
  readonly url: string;
  readonly key: string;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Throws unless the answer is a good one. */
  get<Body>(path: string): Promise<Body>;
  post<Body>(path: string, body?: unknown): Promise<Body>;
  ask(ask: Ask): Promise<api.RequestView>;
  request(id: string): Promise<api.RequestView>;
  tasks(id: string): Promise<readonly api.TaskView[]>;
  task(id: string, key: string): Promise<api.TaskView>;
  retry(task: api.TaskView): Promise<api.TaskView>;
  /** Waits until the request is in the state. */
  until(id: string, state: api.RequestState, seconds?: number): Promise<api.RequestView>;
}

export interface Ask {
  readonly right: api.Right;
  readonly identities: readonly api.Identity[];
  readonly dryRun?: boolean;
  readonly idempotencyKey?: string;
}

export function apiOf({ url, key }: { readonly url: string; readonly key: string }): Api {
  const call: Api['call'] = async (method, path, { headers, body, raw } = {}) => {
    const response = await fetch(new URL(path, url), {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: raw ?? (body === undefined ? null : JSON.stringify(body)),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) };
  };
  const good = async <Body>(method: string, path: string, options: CallOptions = {}): Promise<Body> => {
    const answer = await call(method, path, options);
    if (answer.status >= 300) throw new Error(`${method} ${path} answered ${answer.status}: ${answer.text}`);
    return answer.json<Body>();
  };
  const request: Api['request'] = (id) => good('GET', `/api/v1/requests/${id}`);
  const tasks: Api['tasks'] = async (id) =>
    (await good<{ items: api.TaskView[] }>('GET', `/api/v1/requests/${id}/tasks`)).items;

  return {
    url,
    key,
    call,
    get: (path) => good('GET', path),
    post: (path, body) => good('POST', path, { body }),
    ask: ({ right, identities, dryRun, idempotencyKey }) =>
      good('POST', '/api/v1/requests', {
        body: { right, identities, dry_run: dryRun === true },
        headers: idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey },
      }),
    request,
    tasks,
    async task(id, key) {
      const found = (await tasks(id)).find((task) => task.key === key);
      if (found === undefined) throw new Error(`Request ${id} has no task ${key}.`);
      return found;
    },
    retry: (task) => good('POST', `/api/v1/requests/${task.request_id}/tasks/${task.id}:retry`),
    async until(id, state, seconds = 20) {
      let now = await request(id);
      try {
        await eventually(
          `${id} is ${state}`,
          async () => {
            now = await request(id);
            return now.state === state;
          },
          seconds,
        );
      } catch (error) {
        const open = (await tasks(id)).filter((task) => task.state !== 'succeeded');
        const told = open.map((task) => `${task.key} ${task.state} ${task.error?.message ?? ''}`);
        throw new Error(`${error} It is ${now.state}:\n${told.join('\n')}`);
      }
      return now;
    },
  };
}
