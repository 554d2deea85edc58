import { pipeline, Readable } from 'node:stream';
import { ConnectError } from '@connectrpc/connect';
import { codeToHttpStatus, errorToJson } from '@connectrpc/connect/protocol-connect';
import type { Handler } from './one-port.ts';
import type { Transcoder } from './transcoder.ts';

const MAX_BODY_BYTES = 4 * 1024 * 1024;
const MAX_TIMEOUT_MILLISECONDS = 300_000;

type Request = Parameters<Handler>[0];
type Response = Parameters<Handler>[1];

export interface HttpFallbackOptions {
  readonly transcoder: Transcoder;
  /** The text of `GET /metrics`. */
  readonly metrics: () => string | Promise<string>;
}

/** What is neither gRPC nor Connect: the HTTP/JSON paths of the contract and `GET /metrics`. */
export function httpFallback(options: HttpFallbackOptions): Handler {
  return (request, response) => {
    answer(request, response, options).then(
      (given) => ('body' in given ? send(response, given) : sendStream(response, given)),
      (error: unknown) => {
        const problem = ConnectError.from(error);
        const body = JSON.stringify(errorToJson(problem, undefined));
        send(response, { status: codeToHttpStatus(problem.code), type: 'application/json', body });
      },
    );
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Bytes whose first ones are here already, so that an error before them has its own status. */
interface Streamed {
  readonly first: IteratorResult<Uint8Array, unknown>;
  readonly rest: AsyncIterator<Uint8Array>;
}

async function answer(
  request: Request,
  response: Response,
  { transcoder, metrics }: HttpFallbackOptions,
): Promise<Answer | Streamed> {
  const verb = request.method ?? 'GET';
  const url = request.url ?? '/';
  if (verb === 'GET' && url.split('?', 1)[0] === '/metrics') {
    return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body: await metrics() };
  }
  const found = transcoder.find(verb, url);
  if (found === undefined) return problem(404, 'not_found', 'there is nothing at this path');
  if (typeof found !== 'function') {
    const refused = problem(405, 'unimplemented', 'this path has another HTTP method');
    return { ...refused, headers: { allow: found.allowed.join(', ') } };
  }
  const type = request.headers['content-type'];
  if (verb !== 'GET' && !/^application\/json\b/i.test(type ?? '')) {
    return problem(415, 'invalid_argument', 'the body must be application/json');
  }
  const body = await readBody(request);
  if (body === undefined) return problem(413, 'resource_exhausted', 'the body is too large');
  const gone = new AbortController();
  request.once('close', () => {
    if (!request.complete) gone.abort();
  });
  response.once('close', () => gone.abort());
  const result = await found({
    method: verb,
    url,
    body,
    headers: forwardedHeaders(request),
    timeout: timeoutOf(request),
    signal: gone.signal,
  });
  if ('json' in result) return { status: 200, type: 'application/json', body: JSON.stringify(result.json) };
  const rest = result.bytes[Symbol.asyncIterator]();
  return { first: await rest.next(), rest };
}

/** Without a length: a stream that breaks ends the connection in the middle of the body, which no reader takes for the end. */
function sendStream(response: Response, { first, rest }: Streamed): void {
  async function* all() {
    for (let next = first; next.done !== true; next = await rest.next()) yield next.value;
  }
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' });
  // A reader that has gone needs no answer; one that sees its body cut asks again from there, and is told why.
  pipeline(Readable.from(all()), 'stream' in response ? response.stream : response, () => rest.return?.());
}

function problem(status: number, code: string, message: string): Answer {
  return { status, type: 'application/json', body: JSON.stringify({ code, message }) };
}

function send(response: Response, { status, type, body, headers }: Answer): void {
  const length = Buffer.byteLength(body);
  const all = { ...headers, 'content-type': type, 'content-length': length, 'cache-control': 'no-store' };
  // Both kinds of response have these methods; their types differ in what they return.
  if ('stream' in response) response.writeHead(status, all).end(body);
  else response.writeHead(status, all).end(body);
}

async function readBody(request: Request): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Only what the contract needs goes on to the rpc: the rest describes this HTTP call and not the other one. */
function forwardedHeaders(request: Request): Headers {
  const headers = new Headers();
  const { authorization } = request.headers;
  if (authorization !== undefined) headers.set('authorization', authorization);
  return headers;
}

/** `connect-timeout-ms`, the way the Connect protocol says how long the caller waits. */
function timeoutOf(request: Request): number | undefined {
  const text = request.headers['connect-timeout-ms'];
  if (typeof text !== 'string' || !/^\d{1,10}$/.test(text)) return undefined;
  return Math.min(Number(text), MAX_TIMEOUT_MILLISECONDS);
}
