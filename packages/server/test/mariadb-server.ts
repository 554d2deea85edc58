import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool, type ResultSetHeader, type RowDataPacket } from 'mysql2/promise';
import { freePorts } from '../../../examples/acme/free-ports.ts';
import { eventually } from './eventually.ts';

type Row = Readonly<Record<string, unknown>>;

/** A real MariaDB server of one's own, on a free port, with a folder that goes with it. Durable as MariaDB is without any setting. */
export interface MariadbServer extends AsyncDisposable {
  /** As a user who may do everything, without a database. */
  readonly url: string;
  /** Where its files are. */
  readonly folder: string;
  /** Runs one statement after the other on one connection: rows that it gave, and how many it changed. */
  run(
    text: string,
    values?: readonly unknown[],
  ): Promise<{ readonly rows: readonly Row[]; readonly changed: number }>;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
}

/** Debian's `mariadb-server`, with more settings if wanted, such as `--log-bin`. */
export async function startMariadb(settings: readonly string[] = []): Promise<MariadbServer> {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-mariadb-'));
  const data = join(folder, 'data');
  mkdirSync(data);
  // The server does not run as root; who does starts it as Debian's own user of it.
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? ['--user=mysql'] : [];
  if (isRoot) {
    chmodSync(folder, 0o755);
    spawnSync('chown', ['mysql', folder, data]);
  }
  const socket = join(folder, 'socket');
  const installed = spawnSync(
    'mariadb-install-db',
    [
      '--no-defaults',
      ...user,
      `--datadir=${data}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ],
    { encoding: 'utf8' },
  );
  if (installed.status !== 0)
    throw new Error(`mariadb-install-db failed: ${installed.error ?? installed.stdout}${installed.stderr}`);
  const [port = 0] = await freePorts(1);
  const child = spawn(
    existsSync('/usr/sbin/mariadbd') ? '/usr/sbin/mariadbd' : 'mariadbd',
    [
      ...[
        '--no-defaults',
        ...user,
        `--datadir=${data}`,
        `--socket=${socket}`,
        `--pid-file=${join(folder, 'pid')}`,
      ],
      ...['--bind-address=127.0.0.1', `--port=${port}`, '--character-set-server=utf8mb4', ...settings],
    ],
    { stdio: 'ignore' },
  );
  const url = `mysql://root@127.0.0.1:${port}`;
  const pool = createPool({ uri: url, connectionLimit: 1, charset: 'utf8mb4' });
  await eventually(
    'MariaDB answers',
    () =>
      pool.query('select 1').then(
        () => true,
        () => false,
      ),
    60,
  );
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  return {
    url,
    folder: data,
    kill,
    async run(text, values = []) {
      const [result] = await pool.query<RowDataPacket[] | ResultSetHeader>(text, [...values]);
      return Array.isArray(result)
        ? { rows: result as Row[], changed: 0 }
        : { rows: [], changed: result.affectedRows };
    },
    async [Symbol.asyncDispose]() {
      await pool.end();
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
