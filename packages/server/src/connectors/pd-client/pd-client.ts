import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { type DownloadRequestSchema, PDClient } from '@habeas/contract/pd';
import {
  HabeasError,
  type Outbound,
  type OutboundTls,
  parseOutboundAddress,
} from '../../foundation/index.ts';
import { explainFailure } from './explain-failure.ts';
import { grpcTransport } from './grpc-transport.ts';
import { httpTransport } from './http-transport.ts';
import type { PdTransport, SignToken } from './pd-call.ts';
import { type OperationReading, readOperation } from './read-operation.ts';
import { withoutStall } from './without-stall.ts';

export interface PdClientOptions {
  /** The service's name: the audience of our tokens. */
  readonly service: string;
  readonly team: string;
  /** `host:port`. */
  readonly address: string;
  readonly protocol: 'grpc' | 'http';
  /** With it the service is spoken to over TLS; `{}` trusts the authorities that Node knows. (Default: in the clear) */
  readonly tls?: Omit<OutboundTls, 'alpn'> | undefined;
  /** How long one call may take. */
  readonly timeoutMilliseconds: number;
  readonly outbound: Outbound;
  readonly signToken: SignToken;
}

/** Calls a service by the contract, with a token, a time limit, and errors of our own. */
export interface PdClient {
  /** Such as `accounts (team identity)`: how errors and health name it. */
  readonly who: string;
  call<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethodUnary<Input, Output>,
    request: MessageInitShape<Input>,
    context: { readonly signal: AbortSignal; readonly requestId?: string | undefined },
  ): Promise<MessageShape<Output>>;
  /** The bytes of a Download. What takes longer than a call may is a piece that does not come, not the whole. */
  download(
    request: MessageInitShape<typeof DownloadRequestSchema>,
    context: { readonly signal: AbortSignal },
  ): AsyncGenerator<Uint8Array, void>;
  /** Checks an operation that came with the answer of `rpc`. Throws SYSTEM_GARBAGE. */
  read(operation: Parameters<typeof readOperation>[0], rpc: string): OperationReading;
  /** The error for an operation that FAILED. */
  failed(reading: { readonly code: string; readonly retryable: boolean }, rpc: string): HabeasError;
  /** The error for an answer that breaks the contract: `what` goes on from the service's name. */
  garbage(what: string, rpc: string): HabeasError;
  close(): void;
}

/** Throws ADDRESS_NOT_APPROVED for an address that is not `host:port`. Connects with the first call. */
export function createPdClient(options: PdClientOptions): PdClient {
  const { service, timeoutMilliseconds: timeout } = options;
  const address = parseOutboundAddress(options.address);
  const transport: PdTransport = (options.protocol === 'grpc' ? grpcTransport : httpTransport)({
    outbound: options.outbound,
    address,
    tls: options.tls,
  });
  const who = `${service} (team ${options.team})`;
  return {
    who,
    async call(method, request, { signal, requestId }) {
      try {
        signal.throwIfAborted();
        const token = await options.signToken({ audience: service, requestId, method: method.name });
        return await transport.call(method, request, { authorization: `Bearer ${token}`, timeout, signal });
      } catch (error) {
        signal.throwIfAborted();
        throw explainFailure(error, { who, rpc: method.name, timeout });
      }
    },
    async *download(request, { signal }) {
      const { name: rpc } = PDClient.method.download;
      try {
        signal.throwIfAborted();
        const token = await options.signToken({ audience: service, method: rpc });
        const open = (ending: AbortSignal) =>
          transport.download(request, { authorization: `Bearer ${token}`, signal: ending });
        yield* withoutStall(open, { milliseconds: timeout, signal });
      } catch (error) {
        signal.throwIfAborted();
        throw explainFailure(error, { who, rpc, timeout });
      }
    },
    read(operation, rpc) {
      try {
        return readOperation(operation);
      } catch (error) {
        throw explainFailure(error, { who, rpc, timeout });
      }
    },
    failed({ code, retryable }, rpc) {
      return new HabeasError('SYSTEM_FAILED', `${who} says that ${rpc} failed (${code}).`, { retryable });
    },
    garbage: (what, rpc) =>
      new HabeasError('SYSTEM_GARBAGE', `${who} ${what}. Its ${rpc} breaks the contract.`),
    close: () => transport.close(),
  };
}
