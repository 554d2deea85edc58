import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../../examples/acme/free-ports.ts';
import { absent } from './requirements.ts';

const VERSIONS = '/usr/lib/postgresql';
const NEEDED = ['initdb', 'pg_ctl', 'pg_basebackup'];

/** The programs of Debian's newest PostgreSQL; undefined, with one line that says so, without them. */
export function requirePostgresPrograms(): string | undefined {
  const versions = existsSync(VERSIONS)
    ? readdirSync(VERSIONS).toSorted((a, b) => Number(b) - Number(a))
    : [];
  const folder = versions
    .map((version) => join(VERSIONS, version, 'bin'))
    .find((bin) => NEEDED.every((name) => existsSync(join(bin, name))));
  return (
    folder ?? absent('tests with a standby of PostgreSQL', `there are no ${NEEDED.join(', ')} in ${VERSIONS}`)
  );
}

/** A primary and a standby that follows it by a replication slot, each on a free port. */
export interface ReplicatedPostgres extends Disposable {
  readonly primary: string;
  readonly standby: string;
}

/** `programs`: the folder of {@link requirePostgresPrograms}. */
export async function startReplicatedPostgres(programs: string): Promise<ReplicatedPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-standby-'));
  chmodSync(folder, 0o755);
  const account = accountOf();
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
  const run = (name: string, ...args: readonly string[]) => {
    const { status, stderr, error } = spawnSync(join(programs, name), args, {
      ...account,
      cwd: '/',
      encoding: 'utf8',
      // A server that goes on must not hold the pipe open.
      stdio: ['ignore', 'ignore', name === 'pg_ctl' ? 'ignore' : 'pipe'],
    });
    if (status !== 0) throw new Error(`${name} ended with ${status}: ${error?.message ?? stderr}`);
  };
  const [port = 0, standbyPort = 0] = await freePorts(2);
  const [data, copy] = [join(folder, 'data'), join(folder, 'standby')];
  const start = (of: string, at: number) =>
    run(
      'pg_ctl',
      ...['start', '--wait', `--pgdata=${of}`, `--log=${of}.log`],
      `--options=-p ${at} -k ${folder} -c listen_addresses=127.0.0.1 -c fsync=off`,
    );
  const end = () => {
    for (const server of [copy, data])
      if (existsSync(join(server, 'postmaster.pid')))
        run('pg_ctl', 'stop', '--wait', `--pgdata=${server}`, '--mode=immediate');
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    run(
      'initdb',
      `--pgdata=${data}`,
      '--username=postgres',
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C.UTF-8',
    );
    start(data, port);
    run(
      'pg_basebackup',
      ...['--host=127.0.0.1', `--port=${port}`, '--username=postgres', `--pgdata=${copy}`],
      ...[
        '--write-recovery-conf',
        '--wal-method=stream',
        '--create-slot',
        '--slot=standby',
        '--checkpoint=fast',
      ],
    );
    start(copy, standbyPort);
  } catch (error) {
    end();
    throw error;
  }
  const url = (at: number) => `postgres://postgres@127.0.0.1:${at}/postgres`;
  return { primary: url(port), standby: url(standbyPort), [Symbol.dispose]: end };
}

/** PostgreSQL refuses to run as root; undefined: this user runs it. */
function accountOf(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (flag: string) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
  return { uid: idOf('-u'), gid: idOf('-g') };
}
