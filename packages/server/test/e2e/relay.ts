import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

/** A way to a server that a test can close and open again, as a network that fails does. */
export interface Relay {
  /** The server's URL by this way. */
  readonly url: string;
  /** Breaks all connections and takes no more. */
  close(): Promise<void>;
  /** Takes connections again, on the same port. */
  open(): Promise<void>;
}

/** Starts a relay on a free port of 127.0.0.1 before the server of a URL. */
export async function startRelay(target: string): Promise<Relay> {
  const { hostname, port, searchParams } = new URL(target);
  // The embedded server listens on a Unix socket; its folder stands in the parameter `host`.
  const folder = searchParams.get('host');
  const reach = () =>
    folder === null
      ? connect(Number(port), hostname)
      : connect(join(folder, `.s.PGSQL.${port || searchParams.get('port') || 5432}`));
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    // Whoever breaks a connection, its other half ends with it; there is nobody to tell.
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const server: Server = createServer((near) => {
    const far = reach();
    keep(near);
    keep(far);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  const listen = async (at: number) => {
    server.listen(at, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen(0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The relay has no port.');
  const url = Object.assign(new URL(target), { host: `127.0.0.1:${address.port}` });
  url.searchParams.delete('host');
  url.searchParams.delete('port');
  return {
    url: url.toString(),
    async close() {
      if (!server.listening) return;
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
    open: () => listen(address.port),
  };
}
