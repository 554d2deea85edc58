import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { freePorts } from '../../../examples/acme/free-ports.ts';
import { eventually } from './eventually.ts';

/** A real Redis server of a test's own, on a free port, with a folder that goes with it. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Where its files are. */
  readonly folder: string;
  /** Runs commands, one after the other: each is a list of words. */
  run(...commands: readonly (readonly (string | Buffer)[])[]): Promise<void>;
  /** Every key with its type and its bytes, as Redis itself would carry them to another server, and its time to live. */
  dump(): Promise<Readonly<Record<string, string>>>;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
}

export async function startRedis(args: readonly string[] = ['--save', '']): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-redis-'));
  const [port = 0] = await freePorts(1);
  const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, ...args];
  const child = spawn('redis-server', own, { stdio: 'ignore' });
  const url = `redis://127.0.0.1:${port}/0`;
  const client = createClient({ url, RESP: 2 });
  client.on('error', () => undefined);
  await eventually('Redis answers', () =>
    (client.isOpen ? client.ping() : client.connect().then(() => client.ping())).then(
      (answer) => answer === 'PONG',
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
    port,
    url,
    folder,
    kill,
    async run(...commands) {
      for (const command of commands) await client.sendCommand([...command]);
    },
    async dump() {
      const names = (await client.keys('*')).sort();
      const kept = names.map(async (name) => {
        const [type, ttl] = [await client.type(name), await client.pTTL(name)];
        const parts: Readonly<Record<string, () => Promise<unknown>>> = {
          string: () => client.get(name),
          hash: async () => Object.entries(await client.hGetAll(name)).sort(),
          set: async () => (await client.sMembers(name)).sort(),
          zset: () => client.zRangeWithScores(name, 0, -1),
          list: () => client.lRange(name, 0, -1),
          stream: () => client.xRange(name, '-', '+'),
        };
        return [name, JSON.stringify([type, ttl > 0, await parts[type]?.()])] as const;
      });
      return Object.fromEntries(await Promise.all(kept));
    },
    async [Symbol.asyncDispose]() {
      if (client.isOpen) client.destroy();
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
