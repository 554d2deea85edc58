import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { HabeasError } from './errors.ts';
import type { Outbound, OutboundTls } from './outbound.ts';
import { formatOutboundAddress, type OutboundAddress } from './outbound-address.ts';

export interface HttpClientOptions {
  readonly outbound: Outbound;
  readonly address: OutboundAddress;
  readonly tls?: Omit<OutboundTls, 'alpn'> | undefined;
  /** Most connections at once. (Default: 16) */
  readonly connections?: number;
}

export interface HttpCall {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query, escaped. No personal data: paths end up in other people's logs. */
  readonly path: string;
  /** (Default of `host`: the address) */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  /** For the whole call, from the first byte sent to the last one read; milliseconds. */
  readonly timeout: number;
  /** Most bytes of the answer's body. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface HttpReply {
  readonly status: number;
  readonly contentType: string;
  /** Names in lower case. */
  readonly headers: Readonly<IncomingHttpHeaders>;
  /** Names and values in turn, names as they were sent. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** An answer whose body is still to come. */
export interface HttpStream {
  readonly status: number;
  readonly contentType: string;
  readonly headers: Readonly<IncomingHttpHeaders>;
  readonly rawHeaders: readonly string[];
  /** Read it to its end, or leave it early, which ends the transfer. Throws as `call` does. */
  readonly body: AsyncIterable<Buffer>;
}

/**
 * HTTP/1.1 to one address. Connections are kept and used again; a call that finds its kept connection closed is sent once more, so
 * calls must be safe to repeat.
 */
export interface HttpClient {
  /**
   * Redirects are answers like any other and are never followed. Throws SYSTEM_UNREACHABLE, SYSTEM_TIMEOUT (both retryable),
   * SYSTEM_GARBAGE for an answer that is too large or is not HTTP, ADDRESS_NOT_APPROVED, and the reason of the signal.
   */
  call(call: HttpCall): Promise<HttpReply>;
  /** As `call`, for a body of any size that is read piece by piece: the signal alone ends it. */
  stream(call: Omit<HttpCall, 'timeout' | 'maxBytes'>): Promise<HttpStream>;
  close(): void;
}

const IDLE_MILLISECONDS = 30_000;

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { outbound, address, tls } = options;
  const agent = new Agent({
    keepAlive: true,
    maxSockets: options.connections ?? 16,
    timeout: IDLE_MILLISECONDS,
  });
  agent.createConnection = () =>
    outbound.connect(address, tls === undefined ? undefined : { ...tls, alpn: ['http/1.1'] });
  const where = formatOutboundAddress(address);
  return {
    async call(call) {
      const timeout = AbortSignal.timeout(call.timeout);
      const signal = AbortSignal.any([call.signal, timeout]);
      try {
        return await exchange({ agent, where, call, signal }).catch((error: unknown) => {
          if (!(error instanceof StaleConnection)) throw error;
          return exchange({ agent, where, call, signal });
        });
      } catch (error) {
        call.signal.throwIfAborted();
        throw explain(error, { where, timedOutAfter: timeout.aborted ? call.timeout : undefined });
      }
    },
    async stream(call) {
      const told = (error: unknown): HabeasError => {
        call.signal.throwIfAborted();
        return explain(error, { where });
      };
      const begin = () => open({ agent, where, call, signal: call.signal });
      const response = await begin()
        .catch((error: unknown) => {
          if (error instanceof StaleConnection) return begin();
          throw error;
        })
        .catch((error: unknown) => {
          throw told(error);
        });
      // What goes wrong while nobody reads, or after, must not end the process.
      response.on('error', () => undefined);
      return { ...head(response), body: piecesOf(response, told) };
    },
    close: () => agent.destroy(),
  };
}

async function* piecesOf(
  response: IncomingMessage,
  told: (error: unknown) => HabeasError,
): AsyncGenerator<Buffer, void> {
  try {
    yield* response as AsyncIterable<Buffer>;
  } catch (error) {
    throw told(error);
  }
}

/** The server closed a kept connection while we took it up again; nothing is wrong with either side. */
class StaleConnection extends Error {}

interface Exchange<Call> {
  readonly agent: Agent;
  readonly where: string;
  readonly call: Call;
  readonly signal: AbortSignal;
}

/** Sends the call and reads the head of the answer. */
function open(options: Exchange<Omit<HttpCall, 'timeout' | 'maxBytes'>>): Promise<IncomingMessage> {
  const { call, where } = options;
  const body = asBuffer(call.body);
  return new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request({
      agent: options.agent,
      // The agent's own way to connect ignores these; they only make the Host header.
      host: where,
      setHost: false,
      method: call.method,
      path: call.path,
      headers: {
        host: where,
        ...call.headers,
        'accept-encoding': 'identity',
        ...(body === undefined ? {} : { 'content-length': body.length }),
      },
      signal: options.signal,
    });
    outgoing.once('response', resolve);
    outgoing.once('error', (error: Error) => {
      const stale = outgoing.reusedSocket && 'code' in error && error.code === 'ECONNRESET';
      reject(stale ? new StaleConnection('A kept connection was closed.', { cause: error }) : error);
    });
    outgoing.end(body);
  });
}

const head = ({ statusCode, headers, rawHeaders }: IncomingMessage) => ({
  status: statusCode ?? 0,
  contentType: headers['content-type'] ?? '',
  headers,
  rawHeaders,
});

async function exchange(options: Exchange<HttpCall>): Promise<HttpReply> {
  const { call, where } = options;
  const response = await open(options);
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop early destroys the response, which ends the transfer.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > call.maxBytes) {
      throw garbage(`${where} answered with more than ${call.maxBytes} bytes.`);
    }
    chunks.push(chunk);
  }
  return { ...head(response), body: Buffer.concat(chunks) };
}

function asBuffer(body: HttpCall['body']): Buffer | undefined {
  if (body === undefined) return undefined;
  return typeof body === 'string'
    ? Buffer.from(body)
    : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

function explain(
  error: unknown,
  context: { readonly where: string; readonly timedOutAfter?: number | undefined },
): HabeasError {
  if (error instanceof HabeasError) return error;
  const { where, timedOutAfter } = context;
  if (timedOutAfter !== undefined) {
    return new HabeasError('SYSTEM_TIMEOUT', `${where} did not answer within ${timedOutAfter} ms.`, {
      cause: error,
      retryable: true,
    });
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'no code';
  // llhttp, the parser in Node, names what is not HTTP like this.
  if (code.startsWith('HPE_'))
    return garbage(`${where} answered with something that is not HTTP (${code}).`, error);
  return new HabeasError(
    'SYSTEM_UNREACHABLE',
    `${where} could not be reached, or the connection broke (${code}).`,
    { cause: error, retryable: true },
  );
}

function garbage(message: string, cause?: unknown): HabeasError {
  return new HabeasError('SYSTEM_GARBAGE', message, { cause });
}
