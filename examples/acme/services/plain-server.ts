import { createServer } from 'node:http';
import type { Declared } from '@habeas/sdk';

export interface PlainServerOptions {
  /** On 127.0.0.1. */
  readonly port: number;
  /** What `/metrics` says. */
  readonly declared: Declared;
  /** Answers other paths with JSON; undefined: there is no such thing. */
  readonly answer: (path: string) => Promise<unknown>;
}

/** The HTTP server of a service without a client: `/metrics` and a small API. Resolves when it listens. */
export function servePlain({ port, declared, answer }: PlainServerOptions): Promise<void> {
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    if (path === '/metrics') {
      response.setHeader('content-type', 'text/plain; version=0.0.4').end(declared.metrics());
      return;
    }
    const send = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
    answer(path).then(
      (body) => (body === undefined ? send(404, { error: 'not found' }) : send(200, body)),
      (error: unknown) => {
        // The class of the error only: its text may quote what somebody sent.
        process.stderr.write(
          `${new Date().toISOString()} ${error instanceof Error ? error.name : 'error'}\n`,
        );
        send(500, { error: 'internal' });
      },
    );
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}
