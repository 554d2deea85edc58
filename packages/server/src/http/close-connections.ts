import type { Socket } from 'node:net';
import type { HttpServer } from './operation.ts';

/**
 * Closes connections as soon as nothing is under way on them, once the server closes. Node closes those that are idle at
 * that moment; it waits for those that a client opened and did not use, and for those that become idle later, until the
 * client or a timeout ends them.
 */
export function closeConnections(app: HttpServer): void {
  const underWay = new Map<Socket, number>();
  let closing = false;

  app.server.on('connection', (socket) => {
    underWay.set(socket, 0);
    socket.once('close', () => underWay.delete(socket));
  });
  app.server.on('request', (request, response) => {
    const { socket } = request;
    underWay.set(socket, (underWay.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const left = (underWay.get(socket) ?? 1) - 1;
      if (!underWay.has(socket)) return;
      underWay.set(socket, left);
      if (closing && left === 0) socket.end();
    });
  });
  app.addHook('preClose', async () => {
    closing = true;
    for (const [socket, count] of underWay) {
      if (count === 0) socket.end();
    }
  });
}
