import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { freePorts } from '../../../examples/acme/free-ports.ts';
import { eventually } from './eventually.ts';

/** A memcached of a test's own, on a free port. */
export interface MemcachedServer extends AsyncDisposable {
  readonly url: string;
  /** @param seconds 0: it has no end. */
  set(key: string, value: string, seconds: number): Promise<void>;
  /** Undefined: it has none, or no longer. */
  get(key: string): Promise<string | undefined>;
  kill(): Promise<void>;
}

export async function startMemcached(): Promise<MemcachedServer> {
  const [port = 0] = await freePorts(1);
  // Without -u it does not run as root.
  const child = spawn('memcached', ['-l', '127.0.0.1', '-p', String(port), '-m', '16', '-u', 'nobody'], {
    stdio: 'ignore',
  });
  const ask = async (text: string): Promise<string> => {
    const socket = createConnection({ host: '127.0.0.1', port });
    try {
      await once(socket, 'connect');
      socket.write(text);
      const [answer] = await once(socket, 'data');
      return String(answer);
    } finally {
      socket.destroy();
    }
  };
  await eventually('memcached answers', () =>
    ask('version\r\n').then(
      (answer) => answer.startsWith('VERSION'),
      () => false,
    ),
  );
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  return {
    url: `memcached://127.0.0.1:${port}`,
    async set(key, value, seconds) {
      const answer = await ask(`set ${key} 0 ${seconds} ${Buffer.byteLength(value)}\r\n${value}\r\n`);
      if (!answer.startsWith('STORED')) throw new Error('memcached stored nothing.');
    },
    async get(key) {
      const [, value] = /^VALUE [^\r]*\r\n(.*)\r\nEND\r\n$/s.exec(await ask(`get ${key}\r\n`)) ?? [];
      return value;
    },
    kill,
    [Symbol.asyncDispose]: kill,
  };
}
