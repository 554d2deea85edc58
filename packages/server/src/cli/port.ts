import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { HabeasError } from '../foundation/errors.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Throws PORT_TAKEN with who has it and how to choose another, unless a server can listen there now. */
export async function ensurePortIsFree(address: Address): Promise<void> {
  if (await isFree(address)) return;
  const { host, port } = address;
  const who = (await answersLikeHabeas(address))
    ? 'another Habeas server; it answers at /health'
    : `another program; \`lsof -i :${port}\` or \`ss -ltnp\` shows which`;
  throw new HabeasError(
    'PORT_TAKEN',
    `Port ${port} on ${host} is taken by ${who}. Stop it, or choose another port: \`--port ${port + 1}\`, or listen.port in the configuration.`,
  );
}

/** A port that nobody else can take until it is released. */
export interface HeldPort {
  readonly port: number;
  release(): Promise<void>;
}

/**
 * The first free port from `port` on, so that a demonstration runs beside a server. It is held, because what listens there in the
 * end is started seconds later, and two demonstrations that start together would choose the same one.
 */
export async function holdFreePort(address: Address, tries = 50): Promise<HeldPort> {
  for (let port = address.port; port < address.port + tries && port <= 65_535; port += 1) {
    const holder = await listening({ host: address.host, port });
    if (holder === undefined) continue;
    return {
      port,
      release: () => new Promise((resolve) => holder.close(() => resolve())),
    };
  }
  throw new HabeasError(
    'PORT_TAKEN',
    `No port from ${address.port} to ${address.port + tries - 1} on ${address.host} is free. Choose another with --port.`,
  );
}

/** A port that is free now, for who does not care which. Services are told it before the server listens there. */
export async function anyFreePort(host: string): Promise<number> {
  const server = createServer();
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address === 'object' && address !== null) return address.port;
  throw new HabeasError('INTERNAL', `The system gave no port on ${host}.`);
}

/** Whether this process could listen there. Throws BAD_INPUT for an address that this machine does not have. */
async function isFree(address: Address): Promise<boolean> {
  const server = await listening(address);
  if (server === undefined) return false;
  await new Promise((resolve) => server.close(resolve));
  return true;
}

/** A server that listens there; undefined where somebody else does. */
async function listening({ host, port }: Address): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<Server | undefined>();
  server.once('listening', () => resolve(server));
  server.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') return resolve(undefined);
    const reason = error.code === 'EACCES' ? 'ports below 1024 need more rights' : `${error.code}`;
    reject(
      new HabeasError('BAD_INPUT', `This process cannot listen on ${host}, port ${port}: ${reason}.`, {
        cause: error,
      }),
    );
  });
  server.listen(port, host);
  return promise;
}

const LOOK_MILLISECONDS = 1_000;

async function answersLikeHabeas({ host, port }: Address): Promise<boolean> {
  // 0.0.0.0 and :: are where a server listens, not where a client goes.
  const target = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host;
  try {
    const answer = await fetch(`http://${target}:${port}/health`, {
      signal: AbortSignal.timeout(LOOK_MILLISECONDS),
      redirect: 'error',
    });
    const body: unknown = await answer.json();
    return typeof body === 'object' && body !== null && 'status' in body && 'database' in body;
  } catch {
    // Whatever answers in another way, or not at all, is not Habeas.
    return false;
  }
}
