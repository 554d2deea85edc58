import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool, type ResultSetHeader, type RowDataPacket } from 'mysql2/promise';
import { freePorts } from '../../../examples/acme/free-ports.ts';
import { eventually } from './eventually.ts';

type Row = Readonly<Record<string, unknown>>;

/** A real server of one's own, on a free port, with a folder that goes with it. Durable as it is without any setting. */
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
  return await startServer({
    install: ['mariadb-install-db', '--auth-root-authentication-method=normal', '--skip-test-db'],
    program: existsSync('/usr/sbin/mariadbd') ? '/usr/sbin/mariadbd' : 'mariadbd',
    settings: ['--character-set-server=utf8mb4', ...settings],
  });
}

/** The MySQL of {@link requireMysqld}. */
export async function startMysql(settings: readonly string[] = []): Promise<MariadbServer> {
  const program = process.env.HABEAS_TEST_MYSQLD ?? '';
  return await startServer({
    install: [program, '--initialize-insecure'],
    program,
    settings: ['--secure-file-priv=NULL', '--mysqlx=OFF', '--performance-schema=OFF', ...settings],
  });
}

async function startServer(server: {
  readonly install: readonly [program: string, ...settings: string[]];
  readonly program: string;
  readonly settings: readonly string[];
}): Promise<MariadbServer> {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-mariadb-'));
  const [data, temporary] = [join(folder, 'data'), join(folder, 'temporary')];
  for (const own of [data, temporary]) mkdirSync(own);
  // The server does not run as root; who does starts it as Debian's own user of it.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) {
    chmodSync(folder, 0o755);
    spawnSync('chown', ['mysql', folder, data, temporary]);
  }
  // At its start it removes the temporary files in that folder, those of other servers too.
  const own = [
    '--no-defaults',
    ...(isRoot ? ['--user=mysql'] : []),
    `--datadir=${data}`,
    `--tmpdir=${temporary}`,
  ];
  const [install, ...how] = server.install;
  const installed = spawnSync(install, [...own, ...how], { encoding: 'utf8' });
  if (installed.status !== 0)
    throw new Error(`${install} failed: ${installed.error ?? installed.stdout}${installed.stderr}`);
  const [port = 0] = await freePorts(1);
  const place = [
    `--socket=${join(folder, 'socket')}`,
    `--pid-file=${join(folder, 'pid')}`,
    '--bind-address=127.0.0.1',
    `--port=${port}`,
  ];
  const child = spawn(server.program, [...own, ...place, ...server.settings], { stdio: 'ignore' });
  const url = `mysql://root@127.0.0.1:${port}`;
  const pool = createPool({ uri: url, connectionLimit: 1, charset: 'utf8mb4' });
  await eventually(
    'the server answers',
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
