import type { Clock } from './clock.ts';
import { HabeasError } from './errors.ts';
import type { Outbound } from './outbound.ts';
import type { HttpReply } from './outbound-request.ts';
import { s3ErrorCode, xmlElements, xmlText } from './s3-answers.ts';
import { type AwsAccount, createSignedCalls, type SignedCall } from './signed-calls.ts';

/** A bucket of a service that speaks the S3 protocol, and who Habeas is there. */
export interface S3Bucket extends AwsAccount {
  /** It is named in the path, which every such service understands. */
  readonly bucket: string;
}

export interface S3ClientOptions {
  /** The part of the configuration that names the bucket, for texts of errors: `packages.s3`. */
  readonly setting: string;
  readonly bucket: S3Bucket;
  /** Asks the policy about the address of the service. */
  readonly outbound: Outbound;
  readonly clock: Clock;
  /** For one call. (Default: 60 seconds) */
  readonly timeoutMilliseconds?: number;
  /** Objects that one answer lists. (Default: 1,000, the most that S3 gives) */
  readonly objectsPerAnswer?: number;
}

export interface S3Object {
  readonly key: string;
  readonly modifiedAt: Date;
}

/**
 * Single objects of one bucket. Throws STORAGE_UNREACHABLE (retryable) where the service cannot be reached, is busy or fails, and
 * STORAGE_REFUSED where it does not let us: a wrong key, a missing bucket. Errors name no keys of objects.
 */
export interface S3Client {
  put(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Undefined if there is none. */
  get(
    key: string,
    options: { readonly maxBytes: number; readonly signal: AbortSignal },
  ): Promise<Buffer | undefined>;
  /** Also if there is none. */
  remove(key: string, signal: AbortSignal): Promise<void>;
  list(prefix: string, signal: AbortSignal): AsyncIterable<S3Object>;
  close(): void;
}

const TIMEOUT_MILLISECONDS = 60_000;
const OBJECTS_PER_ANSWER = 1_000;
const SMALL_ANSWER_BYTES = 4 * 1024 * 1024;

export function createS3Client(options: S3ClientOptions): S3Client {
  const { bucket, clock, outbound } = options;
  const calls = createSignedCalls({ account: bucket, service: 's3', outbound, clock });
  const where = { host: calls.host, setting: options.setting };

  const send = async (
    call: Pick<SignedCall, 'method' | 'path' | 'body' | 'signal'> & { readonly maxBytes?: number },
  ): Promise<HttpReply> => {
    try {
      return await calls.call({
        ...call,
        path: `/${bucket.bucket}${call.path}`,
        timeout: options.timeoutMilliseconds ?? TIMEOUT_MILLISECONDS,
        maxBytes: call.maxBytes ?? SMALL_ANSWER_BYTES,
      });
    } catch (error) {
      call.signal.throwIfAborted();
      if (error instanceof HabeasError && error.code === 'ADDRESS_NOT_APPROVED') throw error;
      throw unreachable(where, 'it does not answer', error);
    }
  };

  return {
    async put(key, bytes, signal) {
      expectOk(await send({ method: 'PUT', path: `/${key}`, body: bytes, signal }), where);
    },
    async get(key, { maxBytes, signal }) {
      const reply = await send({ method: 'GET', path: `/${key}`, maxBytes, signal });
      if (reply.status === 404 && s3ErrorCode(reply) === 'NoSuchKey') return undefined;
      expectOk(reply, where);
      return reply.body;
    },
    async remove(key, signal) {
      expectOk(await send({ method: 'DELETE', path: `/${key}`, signal }), where);
    },
    async *list(prefix, signal) {
      let after = '';
      for (;;) {
        const most = String(options.objectsPerAnswer ?? OBJECTS_PER_ANSWER);
        const query = new URLSearchParams({ 'list-type': '2', 'max-keys': most, prefix });
        if (after !== '') query.set('continuation-token', after);
        const reply = await send({ method: 'GET', path: `/?${query}`, signal });
        expectOk(reply, where);
        const page = reply.body.toString();
        for (const contents of xmlElements(page, 'Contents')) {
          const modifiedAt = new Date(xmlText(contents, 'LastModified'));
          yield { key: xmlText(contents, 'Key'), modifiedAt };
        }
        if (xmlText(page, 'IsTruncated') !== 'true') return;
        after = xmlText(page, 'NextContinuationToken');
      }
    },
    close: () => calls.close(),
  };
}

/** Who answers, and which part of the configuration named it. */
interface Where {
  readonly host: string;
  readonly setting: string;
}

function expectOk(reply: HttpReply, where: Where): void {
  if (reply.status >= 200 && reply.status < 300) return;
  const what = `it answers ${reply.status} ${s3ErrorCode(reply)}`.trim();
  if (reply.status >= 500 || reply.status === 429 || reply.status === 408) throw unreachable(where, what);
  throw new HabeasError(
    'STORAGE_REFUSED',
    `The storage at ${where.host} does not take our calls: ${what}. Check ${where.setting}: bucket, region, keys and what they may do.`,
    // Rights and clocks are put right while Habeas runs.
    { retryable: true },
  );
}

function unreachable({ host }: Where, what: string, cause?: unknown): HabeasError {
  return new HabeasError(
    'STORAGE_UNREACHABLE',
    `The storage at ${host} cannot be used now: ${what}. It is tried again.`,
    { cause, retryable: true },
  );
}
