import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Message {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface WebhookReceiverServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** All that came, in order, taken or not. */
  readonly messages: Message[];
  /** How the next messages are answered. (Default: 204) */
  answer: (response: ServerResponse, message: Message) => void;
}

/** A real HTTP server that keeps what it is sent. The port is free unless one is given. */
export async function receiveWebhooks(port = 0): Promise<WebhookReceiverServer> {
  const messages: Message[] = [];
  const server = createServer(async (request, response) => {
    const message = { path: request.url ?? '', headers: request.headers, body: await text(request) };
    messages.push(message);
    receiver.answer(response, message);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { port: taken } = server.address() as AddressInfo;
  const receiver: WebhookReceiverServer = {
    url: `http://127.0.0.1:${taken}/hook?tenant=1`,
    port: taken,
    messages,
    answer: (response) => response.writeHead(204).end(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return receiver;
}
