import { createServer as createHttp1, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { createServer, type Socket } from 'node:net';
import type { Declared } from '@habeas/sdk';

const HTTP2_PREFACE = 'PRI';
const NOT_JSON = '{"operation": {"state": "SUCC\u0000';
/** A gRPC frame of ten bytes that are no protobuf message. */
const NOT_PROTOBUF = Buffer.from([0, 0, 0, 0, 10, ...Array.from({ length: 10 }, () => 0xff)]);

/**
 * For `--garbage`: a service whose `/metrics` is right and whose other answers say "200" and make no sense, over HTTP/1.1
 * and HTTP/2 on one port of 127.0.0.1.
 */
export function serveGarbage(options: { readonly port: number; readonly declared: Declared }): Promise<void> {
  const { port, declared } = options;
  const answer = (request: IncomingMessage | Http2ServerRequest): { type: string; body: string | Buffer } => {
    if (request.url === '/metrics') return { type: 'text/plain; version=0.0.4', body: declared.metrics() };
    const type = request.headers['content-type'] ?? '';
    if (type.startsWith('application/grpc')) return { type, body: NOT_PROTOBUF };
    return { type: 'application/json', body: NOT_JSON };
  };
  const http1 = createHttp1((request: IncomingMessage, response: ServerResponse) => {
    const { type, body } = answer(request);
    response.setHeader('content-type', type).end(body);
  });
  const http2 = createHttp2((request: Http2ServerRequest, response: Http2ServerResponse) => {
    const { type, body } = answer(request);
    response.setHeader('content-type', type);
    response.addTrailers({ 'grpc-status': '0' });
    response.end(body);
  });
  const server = createServer((socket: Socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('readable', () => {
      const first: Buffer | null = socket.read();
      if (first === null) return;
      socket.unshift(first);
      (first.toString('latin1').startsWith(HTTP2_PREFACE) ? http2 : http1).emit('connection', socket);
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}
