import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import {
  type AwsAccount,
  type Clock,
  createOutbound,
  createSignedCalls,
  HabeasError,
  type HttpReply,
  pause,
  type SignedCall,
  s3ErrorCode,
} from '../../../foundation/index.ts';
import { ObjectMoved } from '../object-store.ts';

export interface BucketOptions {
  /** The connection, for texts of errors. */
  readonly key: string;
  readonly bucket: string;
  readonly account: AwsAccount;
  readonly clock: Clock;
}

export interface BucketCall extends Pick<SignedCall, 'method' | 'headers' | 'body' | 'signal'> {
  /** What is asked, in words for errors: `list its objects`. */
  readonly what: string;
  /** Of the object; undefined: the bucket. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  /** (Default: 16 MiB) */
  readonly maxBytes?: number;
  /** Error codes that are an answer like any other. (Default: none) */
  readonly expected?: readonly string[];
}

/** Calls to one bucket; those that it is too busy for are sent again. */
export interface Bucket {
  call(call: BucketCall): Promise<HttpReply>;
  close(): void;
}

const TIMEOUT_MILLISECONDS = 600_000;
const ANSWER_BYTES = 16 << 20;
const TRIES = 5;
const FIRST_PAUSE_MILLISECONDS = 200;

export function openBucket({ key, bucket, account, clock }: BucketOptions): Bucket {
  // The address stands in the configuration, like those of databases: nobody outside can name another one.
  const calls = createSignedCalls({
    account,
    service: 's3',
    outbound: createOutbound({ policy: () => true }),
    clock,
  });
  const once = async (call: BucketCall): Promise<HttpReply> =>
    calls.call({
      method: call.method,
      path: pathOf(bucket, call),
      // Buckets that lock objects take no others.
      headers: {
        ...call.headers,
        ...(call.method === 'PUT'
          ? {
              'content-md5': createHash('md5')
                .update(call.body ?? '')
                .digest('base64'),
            }
          : {}),
      },
      body: call.body,
      signal: call.signal,
      timeout: TIMEOUT_MILLISECONDS,
      maxBytes: call.maxBytes ?? ANSWER_BYTES,
    });
  return {
    async call(call) {
      for (let turn = 1; ; turn += 1) {
        call.signal.throwIfAborted();
        const reply = await once(call);
        const code = s3ErrorCode(reply);
        // The end of an upload may fail after the head of its answer was sent.
        const failed = reply.status >= 300 || (call.method === 'POST' && isError(reply));
        if (!failed || call.expected?.includes(code) === true) return reply;
        const busy = reply.status >= 500 || reply.status === 429 || code === 'InternalError';
        if (!busy || turn === TRIES) throw refused({ key, what: call.what, reply, code, busy });
        await pause(FIRST_PAUSE_MILLISECONDS * 2 ** (turn - 1), call.signal);
      }
    },
    close: () => calls.close(),
  };
}

function isError(reply: HttpReply): boolean {
  return /<Error>/.test(reply.body.toString('utf8', 0, 1_024));
}

function pathOf(bucket: string, { key, query }: BucketCall): string {
  const parts = Object.entries(query ?? {}).map(([name, value]) =>
    value === '' ? name : `${name}=${escaped(value)}`,
  );
  const path = `/${bucket}${key === undefined ? '' : `/${key.split('/').map(escaped).join('/')}`}`;
  return parts.length === 0 ? path : `${path}?${parts.join('&')}`;
}

/** RFC 3986, section 2.3: everything but unreserved characters. */
function escaped(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Addresses have no `.` and `..` in them: what they lead to would be another object. */
export function isAddressable(key: string): boolean {
  return !key.split('/').some((part) => part === '.' || part === '..');
}

function refused(call: {
  readonly key: string;
  readonly what: string;
  readonly reply: HttpReply;
  readonly code: string;
  readonly busy: boolean;
}): Error {
  const { key, what, reply, code, busy } = call;
  if (code === 'NoSuchKey' || code === 'NoSuchVersion' || reply.status === 404)
    if (code !== 'NoSuchBucket') return new ObjectMoved('The object is gone.');
  if (reply.status === 412 || code === 'ConditionalRequestConflict')
    return new ObjectMoved('The object was replaced.');
  const answer = `${reply.status} ${code}`.trim();
  if (busy)
    return new HabeasError(
      'SYSTEM_UNREACHABLE',
      `The bucket of ${key} cannot be used now: asked to ${what}, it answers ${answer}.`,
      { retryable: true },
    );
  return new HabeasError(
    'SYSTEM_REFUSED',
    `The bucket of ${key} does not let Habeas ${what}: it answers ${answer}. Check the bucket, the region, the keys and what they may do (docs/connect-s3.md).`,
    { retryable: code === 'AccessDenied' || code === 'RequestTimeTooSkewed' },
  );
}

/** One header of an answer; undefined: it is not there. */
export function headerOf(headers: Readonly<IncomingHttpHeaders>, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
