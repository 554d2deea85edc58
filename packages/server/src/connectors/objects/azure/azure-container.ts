import { createHash } from 'node:crypto';
import {
  type Clock,
  createHttpClient,
  createOutbound,
  HabeasError,
  type HttpCall,
  type HttpReply,
  parseOutboundAddress,
} from '../../../foundation/index.ts';
import { escaped, headerOf } from '../address-parts.ts';
import { ObjectMoved } from '../object-store.ts';
import { untilTaken } from '../until-taken.ts';
import type { AzureAccount } from './azure-account.ts';
import { sharedKeyAuthorization } from './shared-key.ts';

export interface ContainerOptions {
  /** The connection, for texts of errors. */
  readonly key: string;
  readonly account: AzureAccount;
  readonly clock: Clock;
}

export interface ContainerCall extends Pick<HttpCall, 'method' | 'signal'> {
  /** What is asked, in words for errors: `list its blobs`. */
  readonly what: string;
  /** A blob; undefined: the container, null: the account. */
  readonly blob?: string | null;
  readonly query?: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** (Default: 16 MiB) */
  readonly maxBytes?: number;
  /** Error codes that are an answer like any other. (Default: none) */
  readonly expected?: readonly string[];
}

/** Calls to one container; those that the account is too busy for are sent again. */
export interface Container {
  call(call: ContainerCall): Promise<HttpReply>;
  close(): void;
}

/** Of the protocol: knows versions, tags, immutability and the tiers up to cold, and escapes names that XML cannot have. */
const PROTOCOL_VERSION = '2023-11-03';
const TIMEOUT_MILLISECONDS = 600_000;
const ANSWER_BYTES = 16 << 20;

export function openContainer({ key, account, clock }: ContainerOptions): Container {
  const endpoint = new URL(account.endpoint);
  const isSecure = endpoint.protocol === 'https:';
  const port = endpoint.port === '' ? (isSecure ? '443' : '80') : endpoint.port;
  const http = createHttpClient({
    // The address stands in the configuration, like those of databases: nobody outside can name another one.
    outbound: createOutbound({ policy: () => true }),
    address: parseOutboundAddress(`${endpoint.hostname}:${port}`),
    ...(isSecure ? { tls: { ca: account.ca } } : {}),
  });
  const once = (call: ContainerCall): Promise<HttpReply> => {
    const { method, body, signal, query = {} } = call;
    const path = pathOf(account, call.blob);
    const length = body?.length ?? 0;
    const headers: Record<string, string> = {
      ...call.headers,
      host: endpoint.host,
      'x-ms-date': clock.now().toUTCString(),
      'x-ms-version': PROTOCOL_VERSION,
      ...(method === 'PUT' ? { 'content-length': String(length) } : {}),
      ...(length > 0 ? { 'content-md5': md5Of(body ?? Buffer.alloc(0)) } : {}),
    };
    const { auth, name } = account;
    if (auth.kind === 'key')
      headers.authorization = sharedKeyAuthorization(
        { name, key: auth.key },
        { method, path, query, headers },
      );
    const asked = Object.entries({ ...query, ...(auth.kind === 'sas' ? auth.query : {}) }).map(
      ([parameter, value]) => `${escaped(parameter)}=${escaped(value)}`,
    );
    return http.call({
      method,
      path: asked.length === 0 ? path : `${path}?${asked.join('&')}`,
      headers,
      body: method === 'PUT' ? (body ?? Buffer.alloc(0)) : undefined,
      timeout: TIMEOUT_MILLISECONDS,
      maxBytes: call.maxBytes ?? ANSWER_BYTES,
      signal,
    });
  };
  return {
    async call(call) {
      const isAnswer = (reply: HttpReply) =>
        reply.status < 300 || call.expected?.includes(errorCode(reply)) === true;
      const reply = await untilTaken(
        () => once(call),
        (one) => !isAnswer(one) && isBusy(one),
        call.signal,
      );
      if (isAnswer(reply)) return reply;
      throw refused(key, call.what, reply);
    },
    close: () => http.close(),
  };
}

function pathOf({ basePath, container }: AzureAccount, blob: string | null | undefined): string {
  if (blob === null) return `${basePath}/`;
  const path = `${basePath}/${container}`;
  return blob === undefined ? path : `${path}/${blob.split('/').map(escaped).join('/')}`;
}

function md5Of(body: Uint8Array): string {
  return createHash('md5').update(body).digest('base64');
}

/** The one word of an error that is no quotation of ours: `ContainerNotFound`; empty: there is none. */
export function errorCode(reply: Pick<HttpReply, 'headers'>): string {
  const code = headerOf(reply.headers, 'x-ms-error-code') ?? '';
  return /^[A-Za-z]{1,64}$/.test(code) ? code : '';
}

function isBusy(reply: HttpReply): boolean {
  return reply.status === 429 || (reply.status >= 500 && reply.status !== 501);
}

/** The blob is another one than it was, or gone. */
const MOVED: ReadonlySet<string> = new Set(['ConditionNotMet', 'BlobNotFound', 'InvalidBlockList']);

function refused(key: string, what: string, reply: HttpReply): Error {
  const code = errorCode(reply);
  const { status } = reply;
  // A refused HEAD may come without a code.
  if (MOVED.has(code) || (code === '' && (status === 404 || status === 412)))
    return new ObjectMoved('The blob was replaced or is gone.');
  const answer = `${status} ${code}`.trim();
  if (code.startsWith('Lease'))
    return new HabeasError(
      'SYSTEM_FAILED',
      `Somebody has a lease on a blob of ${key}, so that Habeas could not ${what} (${answer}). It is tried again; break the lease if nobody holds it any more.`,
      { retryable: true },
    );
  if (isBusy(reply))
    return new HabeasError(
      'SYSTEM_UNREACHABLE',
      `The container of ${key} cannot be used now: asked to ${what}, it answers ${answer}.`,
      { retryable: true },
    );
  return new HabeasError(
    'SYSTEM_REFUSED',
    `The container of ${key} does not let Habeas ${what}: it answers ${answer}. Check the container, the key or signature and what it may do (docs/connect-azure.md).`,
    // Rights and clocks are put right while Habeas runs.
    { retryable: status === 403 },
  );
}
