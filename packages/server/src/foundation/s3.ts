import { createHash } from 'node:crypto';
import { AwsV4Signer } from 'aws4fetch';
import type { Clock } from './clock.ts';
import { HabeasError } from './errors.ts';
import type { Outbound } from './outbound.ts';
import { type OutboundAddress, parseOutboundAddress } from './outbound-address.ts';
import { createHttpClient, type HttpCall, type HttpReply } from './outbound-request.ts';

/** A bucket of a service that speaks the S3 protocol, and who Habeas is there. */
export interface S3Bucket {
  /** `https://s3.eu-central-1.amazonaws.com`; the bucket is named in the path, which every such service understands. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** PEM of authorities to trust instead of those that Node knows. */
  readonly ca?: string | undefined;
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

/** Signs with Signature Version 4; the digest of every body is signed, so that a damaged one is refused. */
export function createS3Client(options: S3ClientOptions): S3Client {
  const { bucket, clock } = options;
  const endpoint = new URL(bucket.endpoint);
  const address = addressOf(endpoint);
  const where = { host: endpoint.host, setting: options.setting };
  const http = createHttpClient({
    outbound: options.outbound,
    address,
    ...(endpoint.protocol === 'https:' ? { tls: { ca: bucket.ca } } : {}),
  });

  const send = async (
    call: Pick<HttpCall, 'method' | 'signal'> & {
      readonly path: string;
      readonly body?: Uint8Array;
      readonly maxBytes?: number;
    },
  ): Promise<HttpReply> => {
    const { method, body } = call;
    const url = new URL(`/${bucket.bucket}${call.path}`, endpoint);
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      headers: {
        'x-amz-content-sha256': createHash('sha256')
          .update(body ?? '')
          .digest('hex'),
      },
      accessKeyId: bucket.accessKeyId,
      secretAccessKey: bucket.secretAccessKey,
      ...(bucket.sessionToken === undefined ? {} : { sessionToken: bucket.sessionToken }),
      service: 's3',
      region: bucket.region,
      datetime: clock
        .now()
        .toISOString()
        .replaceAll(/[:-]|\.\d{3}/g, ''),
    });
    const { headers } = await signer.sign();
    try {
      return await http.call({
        method,
        path: `${url.pathname}${url.search}`,
        headers: { ...Object.fromEntries(headers), host: url.host },
        body,
        timeout: options.timeoutMilliseconds ?? TIMEOUT_MILLISECONDS,
        maxBytes: call.maxBytes ?? SMALL_ANSWER_BYTES,
        signal: call.signal,
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
      if (reply.status === 404 && errorCodeOf(reply) === 'NoSuchKey') return undefined;
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
        for (const [, contents = ''] of page.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
          const modifiedAt = new Date(textOf(contents, 'LastModified'));
          yield { key: textOf(contents, 'Key'), modifiedAt };
        }
        if (textOf(page, 'IsTruncated') !== 'true') return;
        after = textOf(page, 'NextContinuationToken');
      }
    },
    close: () => http.close(),
  };
}

function addressOf(endpoint: URL): OutboundAddress {
  const port = endpoint.port === '' ? (endpoint.protocol === 'https:' ? '443' : '80') : endpoint.port;
  return parseOutboundAddress(`${endpoint.hostname}:${port}`);
}

/** Who answers, and which part of the configuration named it. */
interface Where {
  readonly host: string;
  readonly setting: string;
}

function expectOk(reply: HttpReply, where: Where): void {
  if (reply.status >= 200 && reply.status < 300) return;
  const what = `it answers ${reply.status} ${errorCodeOf(reply)}`.trim();
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

/** The one word of S3's error document that is no quotation of ours: `NoSuchBucket`, `SlowDown`. */
function errorCodeOf(reply: HttpReply): string {
  const code = textOf(reply.body.toString('utf8', 0, 4_096), 'Code');
  return /^[A-Za-z]{1,64}$/.test(code) ? code : '';
}

/** What stands in the first element of this name; our own keys need no more than that. */
function textOf(xml: string, name: string): string {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';
  return found
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}
