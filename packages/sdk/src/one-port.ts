import { createServer } from 'node:http';
import { createServer as createHttp2Server, createSecureServer, type Http2Session } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { connectNodeAdapter } from '@connectrpc/connect-node';

/** Answers one call of HTTP/1.1 or HTTP/2. */
export type Handler = ReturnType<typeof connectNodeAdapter>;

export interface OnePortOptions {
  readonly port: number;
  readonly host: string | undefined;
  /** PEM. Without it both protocols come in the clear. */
  readonly tls: { readonly key: string; readonly cert: string; readonly clientCa?: string } | undefined;
  readonly handler: Handler;
}

export interface OnePort {
  readonly port: number;
  /** Takes no new connections, lets calls end for a moment, then cuts. */
  close(): Promise<void>;
}

/** HTTP/2 with prior knowledge begins with these bytes (RFC 9113 §3.4), and no method of HTTP/1 does. */
const HTTP2_PREFACE = Buffer.from('PRI');
const FIRST_BYTES_MILLISECONDS = 10_000;
const CLOSE_WITHIN_MILLISECONDS = 2_000;
const CLOSE_IDLE_EVERY_MILLISECONDS = 50;

/** Serves HTTP/1.1 and HTTP/2 on one port. Rejects with what `listen` failed with. */
export async function listenOnOnePort(options: OnePortOptions): Promise<OnePort> {
  const server =
    options.tls === undefined ? clearServer(options.handler) : secureServer(options.tls, options.handler);
  await new Promise<void>((resolve, reject) => {
    server.net.once('error', reject);
    server.net.listen(options.port, options.host, () => {
      server.net.off('error', reject);
      resolve();
    });
  });
  const sockets = new Set<Socket>();
  server.net.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return {
    port: (server.net.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => server.net.close(() => resolve()));
      server.endIdle();
      // A kept connection becomes idle when its last call ends, and nothing tells us then.
      const idle = setInterval(() => server.endIdle(), CLOSE_IDLE_EVERY_MILLISECONDS);
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, CLOSE_WITHIN_MILLISECONDS);
      await closed;
      clearInterval(idle);
      clearTimeout(timer);
    },
  };
}

interface Listening {
  readonly net: Server;
  /** Ends connections that have no call, and others after their calls. */
  endIdle(): void;
}

/** Without TLS nothing negotiates the protocol, so the first bytes decide. */
function clearServer(handler: Handler): Listening {
  const http1 = createServer(handler);
  const http2 = createHttp2Server(handler);
  const sessions = trackSessions(http2);
  const toHttp1 = http1.listeners('connection') as ((socket: Socket) => void)[];
  http1.removeAllListeners('connection');
  http1.on('connection', (socket: Socket) => {
    let first: Buffer = Buffer.alloc(0);
    const onError = () => socket.destroy();
    const onReadable = () => {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      first = Buffer.concat([first, chunk]);
      const length = Math.min(first.length, HTTP2_PREFACE.length);
      const isHttp2 = first.subarray(0, length).equals(HTTP2_PREFACE.subarray(0, length));
      if (isHttp2 && length < HTTP2_PREFACE.length) return;
      socket.off('readable', onReadable);
      socket.off('error', onError);
      socket.setTimeout(0);
      socket.removeListener('timeout', onError);
      socket.unshift(first);
      if (isHttp2) http2.emit('connection', socket);
      else for (const listener of toHttp1) listener.call(http1, socket);
    };
    socket.setTimeout(FIRST_BYTES_MILLISECONDS, onError);
    socket.on('error', onError);
    socket.on('readable', onReadable);
  });
  return {
    net: http1,
    endIdle() {
      http1.closeIdleConnections();
      for (const session of sessions) session.close();
    },
  };
}

function secureServer(tls: NonNullable<OnePortOptions['tls']>, handler: Handler): Listening {
  const server = createSecureServer(
    {
      key: tls.key,
      cert: tls.cert,
      allowHTTP1: true,
      ...(tls.clientCa === undefined
        ? {}
        : { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true }),
    },
    handler,
  );
  const sessions = trackSessions(server);
  return {
    net: server,
    endIdle() {
      for (const session of sessions) session.close();
    },
  };
}

function trackSessions(server: { on(event: 'session', listener: (session: Http2Session) => void): unknown }) {
  const sessions = new Set<Http2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  return sessions;
}
