import { api } from '@habeas/contract';
import type * as z from 'zod';
import { ERRORS, type ErrorCode, HabeasError } from '../foundation/errors.ts';

export interface ServerAddress {
  /** Where the server listens: `http://127.0.0.1:7311`. */
  readonly url: string;
  /** The API key. Goes into a header only, never into a URL or a message. */
  readonly key: string | undefined;
  /** Ends every call. */
  readonly signal?: AbortSignal | undefined;
}

export interface CallOptions<Answer extends z.ZodType> {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the answer must be. */
  readonly answer: Answer;
}

/** Sends one call and checks its answer. Throws what the server's problem document says, or SERVER_UNREACHABLE. */
export async function call<Answer extends z.ZodType>(
  server: ServerAddress,
  options: CallOptions<Answer>,
): Promise<z.output<Answer>> {
  const response = await send(server, {
    method: options.method ?? 'GET',
    path: withQuery(options.path, options.query ?? {}),
    headers: {
      ...options.headers,
      accept: 'application/json',
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: options.body === undefined ? undefined : JSON.stringify(options.body),
  });
  const parsed = options.answer.safeParse(await response.json());
  if (parsed.success) return parsed.data;
  throw new HabeasError(
    'SYSTEM_GARBAGE',
    `The server at ${server.url} answers in another way than this command expects. Use the same version of both.`,
    { cause: parsed.error },
  );
}

export interface SendOptions {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Sends one call and gives the answer's body as a stream. Throws like {@link call}. */
export async function send(server: ServerAddress, options: SendOptions): Promise<Response> {
  const url = new URL(options.path, server.url);
  let response: Response;
  try {
    response = await fetch(url, {
      method: options.method,
      headers: {
        ...options.headers,
        ...(server.key === undefined ? {} : { authorization: `Bearer ${server.key}` }),
      },
      body: options.body ?? null,
      // A server that answers elsewhere would get the key and the identities.
      redirect: 'error',
      signal: anyOf([server.signal, options.signal]),
    });
  } catch (cause) {
    if (server.signal?.aborted === true || options.signal?.aborted === true) throw cause;
    throw new HabeasError(
      'SERVER_UNREACHABLE',
      `No Habeas server answers at ${url.origin}. Start it with \`habeas serve\`, or give its address with --url or HABEAS_URL.`,
      { cause, retryable: true },
    );
  }
  if (response.ok) return response;
  throw await problemOf(response, { origin: url.origin, key: server.key });
}

const HOW_TO_GET_A_KEY =
  'The first `habeas serve` prints one; `habeas keys create` makes more; if all were lost, `habeas serve --new-key` makes one.';

async function problemOf(
  response: Response,
  { origin, key }: { readonly origin: string; readonly key: string | undefined },
): Promise<HabeasError> {
  const body: unknown = await response.json().catch(() => undefined);
  const problem = api.problemSchema.safeParse(body);
  if (!problem.success || !isErrorCode(problem.data.code)) {
    return new HabeasError(
      'SYSTEM_GARBAGE',
      `What answers at ${origin} (HTTP ${response.status}) is not a Habeas server. Correct --url or HABEAS_URL.`,
    );
  }
  const { code, detail, details, instance } = problem.data;
  if (code === 'UNAUTHENTICATED') {
    return new HabeasError(
      code,
      key === undefined
        ? `The server at ${origin} wants an API key, and none was given. Set HABEAS_API_KEY to it. ${HOW_TO_GET_A_KEY}`
        : `The server at ${origin} does not take this API key: it is unknown there, was revoked, or has expired. Correct HABEAS_API_KEY (or --key). ${HOW_TO_GET_A_KEY}`,
    );
  }
  // The text of an error that nobody expected names its id, unless something between us and the server wrote it.
  const where =
    code === 'INTERNAL' && instance !== undefined && !detail.includes(instance) ? ` (${instance})` : '';
  return new HabeasError(code, `${detail}${where}`, { details: details ?? [] });
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

/** A path with the values that are given. */
export function withQuery(
  path: string,
  query: Readonly<Record<string, string | number | undefined>>,
): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) given.set(name, String(value));
  }
  return given.size === 0 ? path : `${path}?${given}`;
}

function anyOf(signals: readonly (AbortSignal | undefined)[]): AbortSignal | null {
  const given = signals.filter((signal) => signal !== undefined);
  return given.length === 0 ? null : AbortSignal.any(given);
}
