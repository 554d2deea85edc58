import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { DownloadRequestSchema } from '@habeas/contract/pd';

/** For whom a token is, and what it may be used for. */
export interface TokenClaims {
  /** The service. */
  readonly audience: string;
  readonly requestId?: string | undefined;
  /** The rpc, such as `Get`. */
  readonly method?: string | undefined;
}

/** Signs the token of one call: an EdDSA JWT of at most five minutes. */
export type SignToken = (claims: TokenClaims) => Promise<string>;

export interface PdCallOptions {
  /** The value of `authorization`; undefined sends none. */
  readonly authorization: string | undefined;
  /** For the whole call, in milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/**
 * Calls one rpc of the contract. Rejects with a ConnectError for an error that the service answered or for one of the connection,
 * with an UnusableAnswer, or with a HabeasError for what is already explained.
 */
export type PdCall = <Input extends DescMessage, Output extends DescMessage>(
  method: DescMethodUnary<Input, Output>,
  request: MessageInitShape<Input>,
  options: PdCallOptions,
) => Promise<MessageShape<Output>>;

/** A way to speak to a service. Connections are kept and used again. */
export interface PdTransport {
  readonly call: PdCall;
  /** The bytes of a Download as they come; rejects as calls do. The signal alone ends it. */
  download(
    request: MessageInitShape<typeof DownloadRequestSchema>,
    options: Omit<PdCallOptions, 'timeout'>,
  ): AsyncIterable<Uint8Array>;
  close(): void;
}

/** No answer of the contract needs more: pages of records end at about 1 MiB. */
export const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
