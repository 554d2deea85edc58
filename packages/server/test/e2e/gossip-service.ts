import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A service of the contract that repeats what it was asked in every way in which an answer can go wrong. */
export interface GossipService extends AsyncDisposable {
  readonly metricsUrl: string;
  /** What it was asked, by path. */
  readonly heard: readonly string[];
}

/** Each answer is the next one of these: an error with words, a page, no JSON, headers, and a text in place of a state. */
const WAYS: readonly ((asked: string) => { status: number; type: string; body: string; header?: string })[] =
  [
    (asked) => ({
      status: 500,
      type: 'application/json',
      body: JSON.stringify({ code: 'internal', message: asked }),
    }),
    (asked) => ({
      status: 400,
      type: 'application/json',
      body: JSON.stringify({ code: asked, message: asked }),
    }),
    (asked) => ({ status: 503, type: 'text/html', body: `<h1>${asked}</h1>`, header: asked }),
    (asked) => ({ status: 200, type: 'application/json', body: `{"operation": ${asked}` }),
    (asked) => ({ status: 200, type: asked.slice(0, 80), body: asked }),
    (asked) => ({
      status: 200,
      type: 'application/json',
      body: JSON.stringify({ operation: { state: asked } }),
    }),
    (asked) => ({
      status: 200,
      type: 'application/json',
      body: JSON.stringify({
        operation: { name: 'op', state: 'FAILED', error: { code: asked, message: asked } },
      }),
    }),
  ];

/** After this many calls each way has been gone. */
export const GOSSIP_WAYS: number = WAYS.length;

/** Starts it on loopback, declared as the service of a team of its own. */
export async function startGossip(): Promise<GossipService> {
  const heard: string[] = [];
  let ways = 0;
  const server = createServer((request: IncomingMessage, response) => {
    if (request.url === '/metrics') {
      const { port } = server.address() as AddressInfo;
      response.setHeader('content-type', 'text/plain; version=0.0.4');
      response.end(
        `store{team="gossips",service="gossip",data_type="email"} 1\n` +
          `client{team="gossips",service="gossip",address="127.0.0.1:${port}",protocol="http"} 1\n`,
      );
      return;
    }
    text(request).then(
      (asked) => {
        heard.push(request.url ?? '');
        if (request.url?.endsWith(':describe')) {
          response.setHeader('content-type', 'application/json');
          response.end(
            JSON.stringify({
              service: 'gossip',
              identityTypesNeeded: ['email'],
              rights: ['access', 'erasure'],
            }),
          );
          return;
        }
        const { status, type, body, header } = WAYS[ways % WAYS.length]?.(asked) ?? {
          status: 500,
          type: '',
          body: '',
        };
        ways += 1;
        response.writeHead(status, {
          // A header holds no more than one byte a character.
          'content-type': Buffer.from(type)
            .toString('latin1')
            .replaceAll(/[^\x20-\xff]/g, '?'),
          ...(header === undefined ? {} : { 'retry-after': Buffer.from(header).toString('latin1') }),
        });
        response.end(body);
      },
      () => response.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    metricsUrl: `http://127.0.0.1:${port}/metrics`,
    heard,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
