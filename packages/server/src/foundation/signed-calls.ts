import { createHash } from 'node:crypto';
import { AwsV4Signer } from 'aws4fetch';
import type { Clock } from './clock.ts';
import type { Outbound } from './outbound.ts';
import { type OutboundAddress, parseOutboundAddress } from './outbound-address.ts';
import { createHttpClient, type HttpCall, type HttpReply } from './outbound-request.ts';

/** Who Habeas is at a service that speaks a protocol of Amazon's. */
export interface AwsAccount {
  /** `https://s3.eu-central-1.amazonaws.com` */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** PEM of authorities to trust instead of those that Node knows. */
  readonly ca?: string | undefined;
}

export interface SignedCallsOptions {
  readonly account: AwsAccount;
  /** As signatures name it. */
  readonly service: 's3' | 'dynamodb';
  readonly outbound: Outbound;
  readonly clock: Clock;
  /** Most connections at once. (Default: 16) */
  readonly connections?: number;
}

export interface SignedCall {
  readonly method: HttpCall['method'];
  /** Escaped. */
  readonly path: string;
  /** Beside those that the signature needs; they are signed. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  readonly timeout: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** Calls that are signed with Signature Version 4; the digest of every body is signed, so that a damaged one is refused. */
export interface SignedCalls {
  /** `host:port` of the service, for texts of errors. */
  readonly host: string;
  /** Answers of any status. Throws as {@link HttpClient.call} does. */
  call(call: SignedCall): Promise<HttpReply>;
  close(): void;
}

export function createSignedCalls(options: SignedCallsOptions): SignedCalls {
  const { account, service, clock, connections } = options;
  const endpoint = new URL(account.endpoint);
  const http = createHttpClient({
    outbound: options.outbound,
    address: addressOf(endpoint),
    ...(endpoint.protocol === 'https:' ? { tls: { ca: account.ca } } : {}),
    ...(connections === undefined ? {} : { connections }),
  });
  return {
    host: endpoint.host,
    async call({ method, path, body, timeout, maxBytes, signal, ...call }) {
      const url = new URL(path, endpoint);
      const signer = new AwsV4Signer({
        method,
        url: url.href,
        headers: {
          ...call.headers,
          'x-amz-content-sha256': createHash('sha256')
            .update(body ?? '')
            .digest('hex'),
        },
        accessKeyId: account.accessKeyId,
        secretAccessKey: account.secretAccessKey,
        ...(account.sessionToken === undefined ? {} : { sessionToken: account.sessionToken }),
        service,
        region: account.region,
        datetime: clock
          .now()
          .toISOString()
          .replaceAll(/[:-]|\.\d{3}/g, ''),
      });
      const { headers } = await signer.sign();
      return http.call({
        method,
        path: `${url.pathname}${url.search}`,
        headers: { ...Object.fromEntries(headers), host: url.host },
        body,
        timeout,
        maxBytes,
        signal,
      });
    },
    close: () => http.close(),
  };
}

function addressOf(endpoint: URL): OutboundAddress {
  const port = endpoint.port === '' ? (endpoint.protocol === 'https:' ? '443' : '80') : endpoint.port;
  return parseOutboundAddress(`${endpoint.hostname}:${port}`);
}
