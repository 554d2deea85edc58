import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../../examples/acme/free-ports.ts';
import { eventually } from './eventually.ts';

/** Where Debian's package has the programs that run as whoever starts them. */
const PROGRAMS = '/usr/lib/rabbitmq/bin';

/** Ends at once, and starts no Erlang. */
export const RABBITMQ_ENVIRONMENT = `${PROGRAMS}/rabbitmq-env`;

/** A RabbitMQ of a test's own with its management API, on free ports, with its data in a folder that goes with it. */
export interface RabbitmqServer extends AsyncDisposable {
  readonly host: string;
  /** Puts something through the management API, as the administrator. */
  put(path: string, body: object): Promise<void>;
  /** The same with an answer, in JSON. */
  post(path: string, body: object): Promise<unknown>;
}

export async function startRabbitmq(): Promise<RabbitmqServer> {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-rabbitmq-'));
  const [amqp = 0, dist = 0, management = 0, names = 0] = await freePorts(4);
  for (const name of ['mnesia', 'log', 'home']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'plugins'), '[rabbitmq_management].\n');
  writeFileSync(
    join(folder, 'rabbit.conf'),
    `listeners.tcp.1 = 127.0.0.1:${amqp}\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = ${management}\n`,
  );
  const env = {
    PATH: process.env.PATH,
    HOME: join(folder, 'home'),
    RABBITMQ_NODENAME: `habeas-${management}@localhost`,
    RABBITMQ_NODE_PORT: String(amqp),
    RABBITMQ_DIST_PORT: String(dist),
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_FEATURE_FLAGS_FILE: join(folder, 'feature-flags'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbit'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    // A name server of its own, which is ended with it.
    ERL_EPMD_PORT: String(names),
    ERL_EPMD_ADDRESS: '127.0.0.1',
  };
  const child = spawn(`${PROGRAMS}/rabbitmq-server`, { env, stdio: 'ignore', detached: true });
  const host = `127.0.0.1:${management}`;
  const headers = {
    authorization: `Basic ${Buffer.from('guest:guest').toString('base64')}`,
    'content-type': 'application/json',
  };
  const call = async (method: string, path: string, body: object) => {
    const reply = await fetch(`http://${host}/api/${path}`, { method, headers, body: JSON.stringify(body) });
    if (!reply.ok) throw new Error(`RabbitMQ answered ${reply.status} to ${path}.`);
    return reply;
  };
  await eventually(
    'RabbitMQ answers',
    async () => (await fetch(`http://${host}/api/overview`, { headers }).catch(() => undefined))?.ok === true,
    240,
  );
  return {
    host,
    async put(path, body) {
      await call('PUT', path, body);
    },
    post: async (path, body) => (await call('POST', path, body)).json(),
    async [Symbol.asyncDispose]() {
      const gone = once(child, 'exit');
      // The whole of its group: a script that started it, and what it started.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      await gone;
      await eventually(
        'its name server has ended',
        () => {
          // It refuses while it still knows the node.
          spawnSync('epmd', ['-kill'], { env, stdio: 'ignore' });
          return spawnSync('epmd', ['-names'], { env, stdio: 'ignore' }).status !== 0;
        },
        60,
      );
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
