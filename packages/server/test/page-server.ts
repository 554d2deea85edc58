import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PageServer extends AsyncDisposable {
  /** Of its metrics page. */
  readonly url: string;
  close(): Promise<void>;
}

/** A real HTTP server on loopback that answers as the listener does. */
export async function servePages(listener: RequestListener): Promise<PageServer> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    if (!server.listening) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${port}/metrics`, close, [Symbol.asyncDispose]: close };
}

/** A metrics page whose text a test may change. */
export async function serveMetrics(text: string): Promise<PageServer & { text: string; status: number }> {
  const page = { text, status: 200 };
  const server = await servePages((_, response) => {
    response.statusCode = page.status;
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(page.text);
  });
  return Object.assign(page, server);
}
