import { Agent, type IncomingMessage, request } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { createGunzip, createInflate } from 'node:zlib';
import {
  HabeasError,
  type Outbound,
  type OutboundAddress,
  parseOutboundAddress,
} from '../../foundation/index.ts';

export interface PageRequest {
  readonly outbound: Outbound;
  /** User and password in it sign in, unless `headers` do. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as a form with POST. (Default: GET without a body) */
  readonly form?: URLSearchParams;
  readonly signal: AbortSignal;
}

export interface OpenedPage {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Decompressed. It ends with an error if the connection breaks before the end. */
  readonly body: Readable;
}

/** Sends one request; redirects are answers like any other. Throws what the connection throws, and ADDRESS_NOT_APPROVED. */
export async function openPage(options: PageRequest): Promise<OpenedPage> {
  const url = new URL(options.url);
  const address = addressOf(url);
  const tls = url.protocol === 'https:' ? { alpn: ['http/1.1' as const] } : undefined;
  const agent = new Agent({ keepAlive: false });
  agent.createConnection = () => options.outbound.connect(address, tls);
  const body = options.form?.toString();
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request({
      agent,
      // The agent's own way to connect ignores it; `host` below is what is sent.
      host: url.hostname,
      setHost: false,
      method: body === undefined ? 'GET' : 'POST',
      path: `${url.pathname}${url.search}`,
      headers: {
        'user-agent': 'habeas',
        'accept-encoding': 'gzip, deflate',
        ...basicOf(url),
        ...options.headers,
        host: url.host,
        ...(body === undefined
          ? {}
          : {
              'content-type': 'application/x-www-form-urlencoded',
              'content-length': Buffer.byteLength(body),
            }),
      },
      signal: options.signal,
    });
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
    outgoing.end(body);
  });
  return { status: response.statusCode ?? 0, headers: response.headers, body: decompressed(response) };
}

export interface ReadPartsOptions {
  /** After decompression. */
  readonly maxBytes: number;
  /** Told each part of the text as it arrives, so that a large answer is never in memory as a whole. */
  readonly onPart: (part: string) => void;
}

/** Reads a page to its end, or until it is too large. */
export async function readParts(
  page: OpenedPage,
  { maxBytes, onPart }: ReadPartsOptions,
): Promise<'whole' | 'too large'> {
  const decoder = new StringDecoder('utf8');
  let bytes = 0;
  for await (const chunk of page.body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) return 'too large';
    onPart(decoder.write(chunk));
  }
  onPart(decoder.end());
  return 'whole';
}

/** The text of a page of at most `maxBytes` after decompression; undefined if it is larger. */
export async function readText(page: OpenedPage, maxBytes: number): Promise<string | undefined> {
  const parts: string[] = [];
  const read = await readParts(page, { maxBytes, onPart: (part) => void parts.push(part) });
  return read === 'whole' ? parts.join('') : undefined;
}

function addressOf(url: URL): OutboundAddress {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  // A name with a dot at its end is the same name.
  return parseOutboundAddress(`${url.hostname.replace(/\.$/, '')}:${port}`);
}

/** `host:port` of a URL that the configuration names: what a person wrote there may be called, wherever it is. */
export function trustedAddress(url: string): string {
  const { host, port } = addressOf(new URL(url));
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function basicOf({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  return { authorization: basic(decodeURIComponent(username), decodeURIComponent(password)) };
}

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** Bytes that are decompressed at once: a large page in few steps. */
const PIECE = 65_536;

function decompressed(response: IncomingMessage): Readable {
  const encoding = response.headers['content-encoding'] ?? 'identity';
  const unzip = encoding.endsWith('gzip')
    ? createGunzip({ chunkSize: PIECE })
    : encoding === 'deflate'
      ? createInflate({ chunkSize: PIECE })
      : undefined;
  if (unzip === undefined) return response;
  // Destroying one end destroys the other, and an error of either ends the reading.
  pipeline(response, unzip, () => undefined);
  return unzip;
}

/** What went wrong with a request, in words that name the source and nothing of the URL's secrets. */
export function explainFailure(
  error: unknown,
  context: { readonly source: string; readonly timeout: number; readonly timedOut: boolean },
): HabeasError {
  if (error instanceof HabeasError) {
    if (error.code !== 'ADDRESS_NOT_APPROVED') return error;
    return sourceFailed(`${context.source} was not called: ${error.message}`, error);
  }
  const { source } = context;
  if (context.timedOut) {
    return sourceFailed(`${source} was not read to its end within ${context.timeout} ms.`, error);
  }
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  return sourceFailed(`${source} could not be reached, or the connection broke${code}.`, error);
}

export function sourceFailed(message: string, cause?: unknown): HabeasError {
  return new HabeasError('SCRAPE_FAILED', message, { cause, retryable: true });
}
