import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Duplex } from 'node:stream';

export interface Http2Sessions {
  readonly authority: string;
  /** Opens a stream, on the connection that is there or on a new one. */
  request(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    options: { readonly endStream?: boolean },
  ): Promise<ClientHttp2Stream>;
  /** Part of what the transport calls; liveness is checked when a call was too slow. */
  notifyResponseByteRead(): void;
  /** A call was too slow: cuts the connection if the other side does not even answer a ping. */
  doubt(): void;
  close(): void;
}

export interface Http2SessionsOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly authority: string;
  /** Begins a connection. May throw. */
  readonly open: () => Duplex;
  /** A connection without any use for so long is closed, in milliseconds. (Default: five minutes) */
  readonly idle?: number;
  /** How long a doubted side may take to answer a ping, in milliseconds. (Default: 5000) */
  readonly pong?: number;
}

interface Current {
  readonly session: ClientHttp2Session;
  readonly connected: Promise<void>;
}

/**
 * Keeps one HTTP/2 connection and makes a new one when it is gone. Every session has a listener for errors from its first moment to its
 * last: the error of a session that nobody listens to would end the process, and the other side decides when it breaks the protocol.
 */
export function createHttp2Sessions(options: Http2SessionsOptions): Http2Sessions {
  const { authority, open, idle = 300_000, pong = 5_000 } = options;
  let current: Current | undefined;

  const forget = (session: ClientHttp2Session) => {
    if (current?.session === session) current = undefined;
  };
  const start = (): Current => {
    const session = connect(authority, { createConnection: open });
    const connected = new Promise<void>((resolve, reject) => {
      session.once('connect', () => resolve());
      session.on('error', reject);
      session.once('close', () => reject(new Error('The connection was closed.')));
    });
    // Whoever waits for the connection sees the error; when nobody waits any more there is nobody to tell.
    connected.catch(() => undefined);
    session.on('error', () => forget(session));
    session.once('goaway', () => forget(session));
    session.once('close', () => forget(session));
    session.setTimeout(idle, () => session.close());
    return { session, connected };
  };
  return {
    authority,
    async request(method, path, headers, streamOptions) {
      if (current === undefined || current.session.closed || current.session.destroyed) current = start();
      const { session, connected } = current;
      await connected;
      return session.request({ ...headers, ':method': method, ':path': path }, streamOptions);
    },
    notifyResponseByteRead() {
      return undefined;
    },
    doubt() {
      if (current === undefined) return;
      const { session } = current;
      if (session.connecting) {
        forget(session);
        session.destroy();
        return;
      }
      const timer = setTimeout(() => {
        forget(session);
        session.destroy();
      }, pong);
      // A ping that cannot be sent is one that is not answered: then the timer decides.
      if (!session.closed && !session.destroyed) session.ping(() => clearTimeout(timer));
      session.once('close', () => clearTimeout(timer));
    },
    close() {
      current?.session.destroy();
      current = undefined;
    },
  };
}
