import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** One client: a connection that stays open, over which one call is made after the other. */
export interface HttpClient extends Disposable {
  /** Sends a body of JSON and resolves with the status once the answer has been received whole. */
  post(path: string, body: string): Promise<number>;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * HTTP/1.1 written to a socket by hand: a client that does the least, so that what is measured is the server and not the client beside it.
 * It reads answers with `content-length` only.
 */
export async function openClient(options: {
  readonly port: number;
  readonly key?: string;
}): Promise<HttpClient> {
  const socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const take = answersOf(socket);
  const authorization = options.key === undefined ? '' : `authorization: Bearer ${options.key}\r\n`;
  return {
    post(path, body) {
      const answered = take();
      socket.write(
        `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${authorization}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
      return answered;
    },
    [Symbol.dispose]: () => socket.destroy(),
  };
}

/** Gives what waits for the next answer. */
function answersOf(socket: Socket): () => Promise<number> {
  let waiting: PromiseWithResolvers<number> | undefined;
  let received: Buffer = Buffer.alloc(0);
  const fail = (reason: string) => waiting?.reject(new Error(reason));
  socket.on('error', (error) => fail(error.message));
  socket.on('close', () => fail('The server closed the connection.'));
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const end = received.indexOf(HEAD_END);
    if (end < 0) return;
    const head = received.toString('latin1', 0, end);
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    if (length === undefined) return fail('The answer does not tell its length.');
    if (received.length < end + HEAD_END.length + Number(length)) return;
    received = Buffer.alloc(0);
    waiting?.resolve(Number(head.slice(9, 12)));
  });
  return () => {
    waiting = Promise.withResolvers<number>();
    return waiting.promise;
  };
}
