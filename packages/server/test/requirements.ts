import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2';
import pg from 'pg';

/** What wider tests need beside the project itself. A fresh clone runs all other tests without any of it. */
const SERVERS = {
  /** A PostgreSQL that is not the embedded one, as its superuser; tests make and drop databases of their own on it. */
  postgres: { variable: 'HABEAS_TEST_POSTGRES_URL', answers: postgresAnswers },
  /** A MariaDB, as a user who may do everything; tests make and drop databases and users of their own on it. */
  mariadb: { variable: 'HABEAS_TEST_MARIADB_URL', answers: mariadbAnswers },
  /** The same of a MySQL. */
  mysql: { variable: 'HABEAS_TEST_MYSQL_URL', answers: mariadbAnswers },
} as const;

/** Where data sets lie that the project does not ship: beside the project's folder, or in HABEAS_TEST_DATA. */
const DATA = process.env.HABEAS_TEST_DATA ?? join(import.meta.dirname, '../../../../shared/data');

/** The path of a file or folder of the data sets, such as `sample-dbs/chinook`; undefined, with one line that says so, without it. */
export function requireData(path: string): string | undefined {
  const found = join(DATA, path);
  return existsSync(found) ? found : absent(`tests with the data set ${path}`, `there is no ${found}`);
}

/** The URL of a server that answers; undefined, with one line that says so, without it. */
export async function requireServer(name: keyof typeof SERVERS): Promise<string | undefined> {
  const { variable, answers } = SERVERS[name];
  const url = process.env[variable];
  if (url === undefined || url === '') return absent(`tests with a ${name} server`, `${variable} is not set`);
  try {
    await answers(url);
    return url;
  } catch {
    return absent(`tests with a ${name} server`, `the one of ${variable} does not answer`);
  }
}

async function postgresAnswers(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  await client.end();
}

async function mariadbAnswers(url: string): Promise<void> {
  const connection = createConnection({ uri: url, connectTimeout: 5_000 });
  await new Promise<void>((resolve, reject) => {
    connection.on('error', reject);
    connection.ping((error) => (error == null ? resolve() : reject(error)));
  });
  connection.destroy();
}

/** The name of a program of the machine, which ends at once with the flag; undefined, with one line that says so, without it. */
export function requireProgram(name: string, versionFlag = '-V'): string | undefined {
  const isThere = spawnSync(name, [versionFlag], { stdio: 'ignore' }).error === undefined;
  return isThere ? name : absent(`tests with the program ${name}`, 'it is not installed');
}

/** The program of a MySQL server, HABEAS_TEST_MYSQLD, which `.ci/install-mysql` makes; undefined, with one line that says so, without it. */
export function requireMysqld(): string | undefined {
  const program = process.env.HABEAS_TEST_MYSQLD;
  if (program === undefined || program === '')
    return absent('tests with a MySQL of their own', 'HABEAS_TEST_MYSQLD is not set');
  return requireProgram(program, '--version');
}

/** A Python that has pyarrow: HABEAS_TEST_PYARROW, or the machine's own; undefined, with one line that says so, without it. */
export function requirePyarrow(): string | undefined {
  const python = process.env.HABEAS_TEST_PYARROW ?? 'python3';
  const { status } = spawnSync(python, ['-c', 'import pyarrow.parquet'], { stdio: 'ignore' });
  return status === 0 ? python : absent('tests with pyarrow', `${python} does not have it`);
}

export const CONSENT_PACKAGE = join(import.meta.dirname, '../../consent');

/** An app of React Native, HABEAS_TEST_REACT_NATIVE, as `.ci/install-react-native` of this checkout makes it; undefined, with one line that says so, without it. */
export function requireReactNative(): string | undefined {
  const folder = process.env.HABEAS_TEST_REACT_NATIVE;
  if (folder === undefined || folder === '')
    return absent('tests with React Native', 'HABEAS_TEST_REACT_NATIVE is not set');
  const consent = join(folder, 'node_modules/@habeas/consent');
  return existsSync(consent) && realpathSync(consent) === realpathSync(CONSENT_PACKAGE)
    ? folder
    : absent('tests with React Native', `${consent} is not that of this checkout`);
}

/** The folder of Redmine as Debian's packages `redmine` and `redmine-sqlite` install it; undefined, with one line that says so, without it. */
export function requireRedmine(): string | undefined {
  const folder = '/usr/share/redmine';
  const isThere =
    existsSync(join(folder, 'config.ru')) && requireProgram('rackup', '--version') !== undefined;
  return isThere ? folder : absent('tests with a Redmine', `it is not installed in ${folder}`);
}

/** Another version of Node, from the npm registry; undefined, with one line that says so, where it cannot be had. */
export function requireNode(version: string): { readonly program: string; remove(): void } | undefined {
  const system = process.platform === 'win32' ? 'win' : process.platform;
  const prefix = system === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
  const name = `${prefix}-${system}-${process.arch}`;
  const folder = mkdtempSync(join(tmpdir(), 'habeas-node-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const args = ['install', '--prefix', folder, '--no-save', '--prefer-offline', `${name}@${version}`];
  const result = spawnSync('npm', args, {
    cwd: folder,
    stdio: 'ignore',
    shell: process.platform === 'win32',
  });
  if (result.status === 0) return { program: join(folder, 'node_modules', name, 'bin', 'node'), remove };
  remove();
  return absent(`tests with Node ${version}`, 'npm cannot install it');
}

/** A disk of so many bytes, and no more; undefined, with one line that says so, where this user may not mount one. */
export function requireSmallDisk(bytes: number): { readonly path: string; remove(): void } | undefined {
  const path = mkdtempSync(join(tmpdir(), 'habeas-disk-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path], {
    stdio: 'ignore',
  });
  const remove = () => {
    if (status === 0) spawnSync('umount', [path]);
    rmSync(path, { recursive: true, force: true });
  };
  if (status === 0) return { path, remove };
  remove();
  return absent('tests with a disk that is full', 'this user may not mount one');
}

/** A line for a person; an error where everything must be there, as in continuous integration. */
export function absent(what: string, reason: string): undefined {
  if (process.env.HABEAS_TEST_REQUIRE === 'all') {
    throw new Error(`HABEAS_TEST_REQUIRE=all, but ${what} cannot run because ${reason}`);
  }
  process.stdout.write(`skipped: ${what} because ${reason}\n`);
  return undefined;
}
