import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WireAnswer } from '../partners/index.ts';
import type { HttpServer } from './operation.ts';

/** Larger than any request of a protocol; a signed message is base64 of some claims. */
const MAX_BYTES = 256 * 1024;

/**
 * Registers routes of another protocol: bodies come byte by byte, whatever their type, because signatures are over them, and
 * answers go out as they were signed. They are not part of our own API's description; the protocols have theirs.
 */
export async function wireScope(app: HttpServer, routes: (scope: HttpServer) => void): Promise<void> {
  await app.register(async (scope: HttpServer) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BYTES }, (_request, body, done) => {
      done(null, body);
    });
    scope.setValidatorCompiler(() => () => true);
    scope.setSerializerCompiler(() => (body) => String(body));
    routes(scope);
  });
}

/** The bytes of a body; none where there is none. */
export function bodyOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

export function sendWire(reply: FastifyReply, { status, headers, body }: WireAnswer): FastifyReply {
  reply.code(status).headers(headers);
  return body === undefined || typeof body === 'string'
    ? reply.send(body === undefined ? undefined : Buffer.from(body))
    : reply.send(Readable.from(body, { objectMode: false }));
}

/** The last part of a path such as `/v2/requests/:id`. Whatever is no id names nothing. */
export function idOf({ params }: FastifyRequest): string {
  const id: unknown = typeof params === 'object' && params !== null && 'id' in params ? params.id : undefined;
  return typeof id === 'string' ? id : '';
}
