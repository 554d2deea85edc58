import * as z from 'zod';
import {
  createHttpClient,
  formatOutboundAddress,
  HabeasError,
  type HttpCall,
  type HttpClient,
  type Outbound,
  parseOutboundAddress,
} from '../../foundation/index.ts';

export interface TrackerHttpOptions {
  readonly outbound: Outbound;
  /** Where the API is; its path stands before all paths. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** For one call. (Default: 15000) */
  readonly timeoutMilliseconds?: number | undefined;
}

export interface TrackerCall {
  readonly method: HttpCall['method'];
  /** Path and query. */
  readonly path: string;
  readonly body?: unknown;
  /** Besides those of all calls. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** `once`: over a connection of its own, so that it cannot be sent again by itself. (Default: it may be repeated) */
  readonly repeat?: 'once';
}

/** JSON over HTTP to one tracker. */
export interface TrackerHttp {
  /** The answer, read by the schema. Throws for every status but 2xx. */
  call<Answer>(call: TrackerCall, answer: z.ZodType<Answer>): Promise<Answer>;
  close(): void;
}

const TIMEOUT_MILLISECONDS = 15_000;
const MAX_BYTES = 8 * 1_024 * 1_024;

/** For answers of which nothing is read. */
export const NOTHING = z.unknown();

export function createTrackerHttp(options: TrackerHttpOptions): TrackerHttp {
  const { outbound, url, headers, timeoutMilliseconds: timeout = TIMEOUT_MILLISECONDS } = options;
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  const address = parseOutboundAddress(`${url.hostname}:${port}`);
  const where = formatOutboundAddress(address);
  const open = (): HttpClient =>
    createHttpClient({ outbound, address, tls: url.protocol === 'https:' ? {} : undefined, connections: 2 });
  const kept = open();
  const base = url.pathname.replace(/\/$/, '');

  return {
    async call({ method, path, body, headers: more, signal, repeat }, answer) {
      const client = repeat === 'once' ? open() : kept;
      try {
        const reply = await client.call({
          method,
          path: `${base}${path}`,
          headers: {
            accept: 'application/json',
            'user-agent': 'habeas',
            ...headers,
            ...more,
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          body: body === undefined ? undefined : JSON.stringify(body),
          timeout,
          maxBytes: MAX_BYTES,
          signal,
        });
        if (reply.status < 200 || reply.status > 299) throw refused(where, reply.status);
        return read(where, reply.body, answer);
      } finally {
        if (client !== kept) client.close();
      }
    },
    close: () => kept.close(),
  };
}

function read<Answer>(where: string, body: Buffer, answer: z.ZodType<Answer>): Answer {
  try {
    return answer.parse(body.length === 0 ? undefined : JSON.parse(body.toString()));
  } catch (cause) {
    throw new HabeasError('SYSTEM_GARBAGE', `${where} gave an answer of another form than its API has.`, {
      cause,
    });
  }
}

function refused(where: string, status: number): HabeasError {
  return new HabeasError(
    'SYSTEM_REFUSED',
    `${where} answered with HTTP ${status}. Look at its token, project and rights under trackers in the configuration.`,
    { retryable: status >= 500 || status === 429 },
  );
}
