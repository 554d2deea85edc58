import type * as z from 'zod';
import { watched } from './connection.ts';
import { keyNeeded } from './key-needed.ts';
import { ConnectionLost, hasCode, problemOf, UnexpectedAnswer } from './problem.ts';

type Names<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Names<Rest>
  : never;
type Given<Path extends string, Query, Body> = ([Names<Path>] extends [never]
  ? unknown
  : Readonly<Record<Names<Path>, string>>) &
  ([Query] extends [never] ? unknown : { readonly query?: Partial<Query> }) &
  ([Body] extends [never] ? unknown : { readonly body: Body });

export interface Definition {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly reply: z.ZodType | undefined;
}

/** One operation of the API: called with what it needs, gives what the contract says, or throws an ApiError. */
export interface Operation<Input, Reply> extends Definition {
  (input: Input, signal?: AbortSignal): Promise<Reply>;
}

interface Parts<Reply extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
  readonly reply?: Reply;
  readonly query?: Query;
  readonly body?: Body;
  /** A missing session is an answer, not a reason to ask for the key. */
  readonly quiet?: boolean;
}

/** An operation by its method, its path as the OpenAPI document has it, and the contract's schemas. */
export function define<
  const Path extends string,
  Reply extends z.ZodType = never,
  Query extends z.ZodType = never,
  Body extends z.ZodType = never,
>(
  method: Definition['method'],
  path: Path,
  parts: Parts<Reply, Query, Body> = {},
): Operation<
  Given<
    Path,
    [Query] extends [never] ? never : z.input<Query>,
    [Body] extends [never] ? never : z.input<Body>
  >,
  [Reply] extends [never] ? undefined : z.output<Reply>
> {
  const operation = async (input: object, signal?: AbortSignal) => {
    const { query, body } = input as { query?: object; body?: object };
    const answer = await askUntilAllowed(
      () => send({ method, url: urlOf(path, input, query), body, signal }),
      path,
      parts.quiet === true,
    );
    if (parts.reply === undefined) return undefined;
    const parsed = parts.reply.safeParse(await contentOf(answer));
    if (!parsed.success) throw new UnexpectedAnswer(path, parsed.error);
    return parsed.data;
  };
  return Object.assign(operation, { method, path, reply: parts.reply }) as never;
}

async function contentOf(answer: Response): Promise<unknown> {
  if (answer.headers.get('content-type')?.includes('json') !== true) return answer.text();
  return answer.json().catch(() => undefined);
}

/** Sends again after the reader showed their key, where that is what was missing. */
async function askUntilAllowed(
  send: () => Promise<Response>,
  path: string,
  quiet: boolean,
): Promise<Response> {
  for (;;) {
    const answer = await send();
    if (answer.ok) return answer;
    const error = await problemOf(answer, path);
    if (hasCode(error, 'UNAUTHENTICATED') && !quiet) await orElse(keyNeeded('expired'), error);
    else if (hasCode(error, 'CONFIRMATION_NEEDED')) await orElse(keyNeeded('confirm'), error);
    else throw error;
  }
}

async function orElse(shown: Promise<void>, error: Error): Promise<void> {
  try {
    await shown;
  } catch {
    // The reader closed the dialog: then the server's refusal stands.
    throw error;
  }
}

interface Call {
  readonly method: string;
  readonly url: string;
  readonly body: object | undefined;
  readonly signal: AbortSignal | undefined;
}

async function send({ method, url, body, signal }: Call): Promise<Response> {
  const call = () =>
    fetch(url, {
      method,
      credentials: 'same-origin',
      ...(signal === undefined ? {} : { signal }),
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
  try {
    return await watched(call, signal);
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    throw new ConnectionLost(cause);
  }
}

/** The address of a call; values of the path and the query are encoded, what is undefined or empty is left out. */
export function urlOf(path: string, input: object, query: object = {}): string {
  const values = input as Readonly<Record<string, string>>;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
  const search = new URLSearchParams(
    Object.entries(query).flatMap(([name, value]) =>
      value === undefined || value === '' ? [] : [[name, String(value)]],
    ),
  );
  return search.size === 0 ? filled : `${filled}?${search}`;
}
