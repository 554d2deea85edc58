import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';

/** A call as it comes; its headers may be changed. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** `code`: of an error as S3 has it. `cut`: none, as of a store that is gone. `bodyFor`: by what was asked. */
type ProxyAnswer =
  | 'cut'
  | { readonly bodyFor: (asked: string) => Promise<string> }
  | ({ readonly status: number } & ({ readonly code: string } | { readonly body: string }));

/** Stands between a program and a server that speaks protocols of Amazon's, and answers some calls itself. */
export async function startProxy(
  target: string,
  answers: (asked: Asked) => ProxyAnswer | undefined,
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', target);
    const asked = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
    };
    const answer = answers(asked);
    if (answer === 'cut') {
      outgoing.destroy();
      return;
    }
    if (answer !== undefined && 'bodyFor' in answer) {
      text(incoming)
        .then(answer.bodyFor)
        .then(
          (body) => outgoing.writeHead(200).end(body),
          (error) => outgoing.destroy(error),
        );
      return;
    }
    if (answer !== undefined) {
      incoming.resume();
      outgoing
        .writeHead(answer.status)
        .end('body' in answer ? answer.body : `<Error><Code>${answer.code}</Code></Error>`);
      return;
    }
    const path = incoming.url ?? '/';
    const forwarded = request(target, { method: asked.method, path, headers: asked.headers }, (reply) => {
      outgoing.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('There is no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
