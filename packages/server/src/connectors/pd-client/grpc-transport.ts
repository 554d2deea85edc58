import { Code, ConnectError } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { PDClient } from '@habeas/contract/pd';
import {
  formatOutboundAddress,
  type Outbound,
  type OutboundAddress,
  type OutboundTls,
} from '../../foundation/index.ts';
import { createHttp2Sessions } from './http2-sessions.ts';
import { MAX_ANSWER_BYTES, type PdTransport } from './pd-call.ts';

export interface TransportOptions {
  readonly outbound: Outbound;
  readonly address: OutboundAddress;
  readonly tls: Omit<OutboundTls, 'alpn'> | undefined;
}

/** gRPC over one HTTP/2 connection, in the clear or over TLS. */
export function grpcTransport({ outbound, address, tls }: TransportOptions): PdTransport {
  // The origin has no port where it is the scheme's own, and the transport compares origins.
  const { origin } = new URL(`${tls === undefined ? 'http' : 'https'}://${formatOutboundAddress(address)}`);
  const sessions = createHttp2Sessions({
    authority: origin,
    open: () => outbound.connect(address, tls === undefined ? undefined : { ...tls, alpn: ['h2'] }),
  });
  const transport = createGrpcTransport({
    baseUrl: origin,
    sessionManager: sessions,
    acceptCompression: [],
    readMaxBytes: MAX_ANSWER_BYTES,
  });
  return {
    async call(method, request, { authorization, timeout, signal }) {
      const headers = new Headers(authorization === undefined ? {} : { authorization });
      try {
        return (await transport.unary(method, signal, timeout, headers, request)).message;
      } catch (error) {
        // Calls share the connection: one that is dead or does not come about must not make the next ones wait too.
        if (ConnectError.from(error).code === Code.DeadlineExceeded) sessions.doubt();
        throw error;
      }
    },
    async *download(request, { authorization, signal }) {
      const headers = new Headers(authorization === undefined ? {} : { authorization });
      const once = (async function* () {
        yield request;
      })();
      const { message } = await transport.stream(PDClient.method.download, signal, undefined, headers, once);
      for await (const { data } of message) yield data;
    },
    close: () => sessions.close(),
  };
}
