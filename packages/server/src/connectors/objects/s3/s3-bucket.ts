import { createHash } from 'node:crypto';
import {
  type AwsAccount,
  type Clock,
  createOutbound,
  createSignedCalls,
  HabeasError,
  type HttpReply,
  type SignedCall,
  s3ErrorCode,
} from '../../../foundation/index.ts';
import { escaped } from '../address-parts.ts';
import { ObjectMoved } from '../object-store.ts';
import { untilTaken } from '../until-taken.ts';

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
      // The end of an upload may fail after the head of its answer was sent.
      const failed = (reply: HttpReply) => reply.status >= 300 || (call.method === 'POST' && isError(reply));
      const isExpected = (reply: HttpReply) => call.expected?.includes(s3ErrorCode(reply)) === true;
      const isBusy = (reply: HttpReply) =>
        reply.status >= 500 || reply.status === 429 || s3ErrorCode(reply) === 'InternalError';
      const reply = await untilTaken(
        () => once(call),
        (one) => failed(one) && !isExpected(one) && isBusy(one),
        call.signal,
      );
      if (!failed(reply) || isExpected(reply)) return reply;
      throw refused({ key, what: call.what, reply, code: s3ErrorCode(reply), busy: isBusy(reply) });
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
