import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  makeDataDir,
  ORDINARY_UID,
  query,
  readableNative,
  startUserProcess,
} from '../../../test/embedded-postgres-user.ts';
import { nativeFolder } from './binaries.ts';
import { findRunningServer } from './pid-file.ts';
import { SERVER_GROUP } from './server-account.ts';
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from './start-embedded-postgres.ts';

const isRoot = process.getuid?.() === 0;
const FAST = { fsync: 'off' };

/** A server that stops with its test, and all that it said. */
async function start(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres & AsyncDisposable & { readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const server = await startEmbeddedPostgres({
    settings: FAST,
    onProgress: (line) => lines.push(line),
    ...options,
  });
  return { ...server, lines, [Symbol.asyncDispose]: server.stop };
}

const one = async (url: string, text: string) => (await query(url, text))[0]?.[0];

/** The names, owners and contents of all files below a folder, in one figure. */
function fingerprint(folder: string): string {
  const hash = createHash('sha256');
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    hash.update(`${path} ${statSync(path).uid} ${statSync(path).mode}\n`);
    if (entry.isFile()) hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}

describe('the first start', () => {
  test('makes a database that is durable, sorts the same everywhere, and is closed to the network', async () => {
    await using folder = makeDataDir();
    await using server = await start({ dataDir: folder.path, settings: {} });
    const settings = await query(
      server.superuserUrl(),
      `select name, setting from pg_settings
        where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'listen_addresses', 'server_encoding', 'TimeZone')
        order by name collate "C"`,
    );
    expect(Object.fromEntries(settings)).toEqual({
      TimeZone: 'UTC',
      fsync: 'on',
      full_page_writes: 'on',
      listen_addresses: '',
      server_encoding: 'UTF8',
      synchronous_commit: 'on',
    });
    expect(
      await query(
        server.url(),
        'select datlocprovider, datlocale from pg_database where datname = current_database()',
      ),
    ).toEqual([['b', 'C.UTF-8']]);
  });

  test('gives Habeas a role of its own that makes databases and is no superuser', async () => {
    await using folder = makeDataDir();
    await using server = await start({ dataDir: folder.path });
    expect(
      await query(
        server.url(),
        'select rolname, rolsuper, rolcreatedb from pg_roles where rolname = current_user',
      ),
    ).toEqual([['habeas', false, true]]);
    await query(server.url(), 'create database "a shop, of ÅÄ"');
    expect(await one(server.url('a shop, of ÅÄ'), 'select current_database()')).toBe('a shop, of ÅÄ');
    await expect(query(server.url(), 'create role other')).rejects.toThrow('permission denied');
  });

  test('lets no other user come near the data or the socket', async () => {
    await using folder = makeDataDir();
    await using server = await start({ dataDir: folder.path });
    const place = join(folder.path, 'postgres');
    const socket = new URL(server.url()).searchParams.get('host') ?? '';
    expect(statSync(place).mode & 0o007).toBe(0);
    expect(statSync(socket).mode & 0o007).toBe(0);
    if (!isRoot) return;
    // Other programs run as nobody as well; only the server is in its group.
    const enter = (gid: number) => () =>
      execFileSync('/bin/sh', ['-c', 'cd "$1" && test -S .s.PGSQL.5432', 'sh', socket], {
        uid: ORDINARY_UID,
        gid,
        cwd: '/',
        stdio: 'ignore',
      });
    expect(enter(ORDINARY_UID)).toThrow();
    expect(enter(SERVER_GROUP)).not.toThrow();
  });

  test('works in a folder whose name holds spaces, commas, quotes and letters of other languages', async () => {
    using native = readableNative();
    await using folder = makeDataDir();
    await using server = await start({ dataDir: join(folder.path, `it's "a", 例 %41`), native: native.path });
    expect(await one(server.url(), 'select 1')).toBe(1);
  });

  test('works in a folder whose path is too long for a socket, and leaves nothing in the temporary folder', async () => {
    await using folder = makeDataDir();
    const server = await start({ dataDir: join(folder.path, 'x'.repeat(120)) });
    const socket = new URL(server.url()).searchParams.get('host') ?? '';
    expect(socket).toMatch(/\/habeas-[0-9a-f]{12}$/);
    expect(statSync(socket).mode & 0o007).toBe(0);
    expect(await one(server.url(), 'select 1')).toBe(1);
    await server.stop();
    expect(existsSync(socket)).toBe(false);
  });

  test.runIf(isRoot)('does not use a socket folder that someone else made before', async () => {
    await using folder = makeDataDir();
    const dataDir = join(folder.path, 'x'.repeat(120));
    const hash = createHash('sha256').update(join(dataDir, 'postgres')).digest('hex').slice(0, 12);
    const taken = join(tmpdir(), `habeas-${hash}`);
    mkdirSync(taken);
    chownSync(taken, ORDINARY_UID, ORDINARY_UID);
    try {
      const server = await start({ dataDir });
      const socket = new URL(server.url()).searchParams.get('host') ?? '';
      expect(socket.startsWith(`${taken}-`)).toBe(true);
      await server.stop();
      expect([existsSync(socket), existsSync(taken)]).toEqual([false, true]);
    } finally {
      rmSync(taken, { recursive: true });
    }
  });

  test('over TCP takes a random password and a port of 127.0.0.1', async () => {
    await using folder = makeDataDir();
    await using server = await start({ dataDir: folder.path, transport: 'tcp' });
    const url = new URL(server.url());
    expect(await one(url.href, 'select inet_server_addr()::text')).toBe('127.0.0.1/32');
    expect(url.password.length).toBeGreaterThanOrEqual(32);
    url.password = 'guess';
    await expect(query(url.href, 'select 1')).rejects.toThrow('password authentication failed');
    await server.stop();
    await using again = await start({ dataDir: folder.path, transport: 'tcp' });
    expect(await one(again.url(), 'select 1')).toBe(1);
    expect(statSync(join(folder.path, 'postgres', 'password')).mode & 0o007).toBe(0);
  });
});

describe('a later start', () => {
  test('finds what an earlier one stored and makes nothing anew', async () => {
    await using folder = makeDataDir();
    const first = await start({ dataDir: folder.path });
    await query(first.url(), 'create table kept as select 7 as n');
    await first.stop();
    await first.stop();
    expect(findRunningServer(join(folder.path, 'postgres', 'data'))).toBeUndefined();
    await using second = await start({ dataDir: folder.path });
    expect([await one(second.url(), 'select n from kept'), second.adopted, second.lines]).toEqual([
      7,
      false,
      [],
    ]);
  });

  test('ends a server that was left behind with programs that are no longer there', async () => {
    using native = readableNative();
    await using folder = makeDataDir(isRoot ? ORDINARY_UID : undefined);
    const copy = mkdtempSync(join(tmpdir(), 'habeas-native-'));
    try {
      chmodSync(copy, 0o755);
      cpSync(join(native.path, '..'), copy, { recursive: true, verbatimSymlinks: true });
      const before = startUserProcess({
        start: { dataDir: folder.path, native: join(copy, 'native'), settings: FAST },
      });
      await before.until('ready');
      const { pid } = findRunningServer(join(folder.path, 'postgres', 'data')) ?? {};
      const users = join(folder.path, 'postgres', 'users');
      process.kill(
        JSON.parse(readFileSync(join(users, readdirSync(users)[0] ?? ''), 'utf8')).keeper,
        'SIGKILL',
      );
      await before.kill();
      rmSync(copy, { recursive: true });
      await using server = await start({ dataDir: folder.path });
      expect(findRunningServer(join(folder.path, 'postgres', 'data'))?.pid).not.toBe(pid);
      expect([server.adopted, await one(server.url(), 'select 1')]).toEqual([false, 1]);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });

  test('refuses a data directory of another PostgreSQL and changes nothing in it', async () => {
    await using folder = makeDataDir();
    await (await start({ dataDir: folder.path })).stop();
    const data = join(folder.path, 'postgres', 'data');
    writeFileSync(join(data, 'PG_VERSION'), '17\n');
    const before = fingerprint(data);
    await expect(start({ dataDir: folder.path })).rejects.toMatchObject({
      code: 'EMBEDDED_DATABASE_FAILED',
      message: expect.stringMatching(
        /data was made by PostgreSQL 17; .* brings PostgreSQL 18.*cannot read it[\s\S]*DATABASE_URL[\s\S]*mv '.*data' '.*data-17'/,
      ),
    });
    expect(fingerprint(data)).toBe(before);
  });

  test('says what the system said when a file cannot be made', async () => {
    await using folder = makeDataDir();
    mkdirSync(join(folder.path, 'postgres', 'users'), { recursive: true });
    mkdirSync(join(folder.path, 'postgres', 'server.log'));
    await expect(start({ dataDir: folder.path })).rejects.toMatchObject({
      code: 'EMBEDDED_DATABASE_FAILED',
      message: expect.stringMatching(/could not be started in .*: EISDIR: .*server\.log/),
    });
  });

  test('refuses a folder that is no data directory and changes nothing in it', async () => {
    await using folder = makeDataDir();
    const data = join(folder.path, 'postgres', 'data');
    mkdirSync(data, { recursive: true });
    writeFileSync(join(data, 'diary.txt'), 'mine');
    const before = fingerprint(data);
    await expect(start({ dataDir: folder.path })).rejects.toMatchObject({
      code: 'EMBEDDED_DATABASE_FAILED',
      message: expect.stringContaining('not a PostgreSQL data directory'),
    });
    expect(fingerprint(data)).toBe(before);
  });

  test('says what the server said when a file of it is damaged', async () => {
    await using folder = makeDataDir();
    await (await start({ dataDir: folder.path })).stop();
    truncateSync(join(folder.path, 'postgres', 'data', 'global', 'pg_control'), 100);
    await expect(start({ dataDir: folder.path })).rejects.toMatchObject({
      code: 'EMBEDDED_DATABASE_FAILED',
      message: expect.stringMatching(/did not start[\s\S]*last lines[\s\S]*pg_control/),
    });
  });

  test.runIf(isRoot && mayMount())('says that the disk is full', async () => {
    using native = readableNative();
    await using folder = makeDataDir();
    mkdirSync(folder.path);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m,mode=755', 'tmpfs', folder.path]);
    try {
      await expect(start({ dataDir: folder.path, native: native.path })).rejects.toMatchObject({
        code: 'EMBEDDED_DATABASE_FAILED',
        message: expect.stringMatching(/could not make its data directory[\s\S]*No space left on device/),
      });
      await using closed = makeDataDir();
      mkdirSync(closed.path, { mode: 0o700 });
      cpSync(join(native.path, '..'), closed.path, { recursive: true, verbatimSymlinks: true });
      const unreadable = start({ dataDir: folder.path, native: join(closed.path, 'native') });
      await expect(unreadable).rejects.toMatchObject({
        code: 'EMBEDDED_DATABASE_FAILED',
        message: expect.stringContaining('could not be copied to'),
      });
    } finally {
      execFileSync('umount', [folder.path]);
    }
  });
});

describe("PostgreSQL's programs", () => {
  test('get the links that npm leaves out with --ignore-scripts', async () => {
    using installed = readableNative();
    await using folder = makeDataDir();
    mkdirSync(folder.path);
    const native = join(folder.path, 'package', 'native');
    cpSync(join(installed.path, '..'), join(native, '..'), { recursive: true, verbatimSymlinks: true });
    const links: { target: string }[] = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'));
    for (const { target } of links) rmSync(join(native, '..', target), { force: true });
    await using server = await start({ dataDir: folder.path, native });
    expect(await one(server.url(), 'select 1')).toBe(1);
    expect(server.lines.join()).not.toContain('copying');
  });

  test('are not started from a folder whose name the shell would take apart', async () => {
    using installed = readableNative();
    await using folder = makeDataDir();
    const native = join(folder.path, 'a $HOME "b"', 'native');
    cpSync(join(installed.path, '..'), join(native, '..'), { recursive: true, verbatimSymlinks: true });
    await expect(start({ dataDir: join(folder.path, 'data'), native })).rejects.toMatchObject({
      code: 'EMBEDDED_DATABASE_FAILED',
      message: expect.stringContaining('Give it another name'),
    });
  });

  test.runIf(isRoot)('are copied when the server cannot read them where they are', async () => {
    await using folder = makeDataDir();
    await using closed = makeDataDir();
    mkdirSync(closed.path, { mode: 0o700 });
    const native = join(closed.path, 'native');
    cpSync(join(nativeFolder(), '..'), closed.path, { recursive: true, verbatimSymlinks: true });
    const server = await start({ dataDir: folder.path, native });
    expect(await one(server.url(), 'select 1')).toBe(1);
    expect(server.lines[0]).toMatch(/^copying PostgreSQL's programs to .*postgres\/native-18/);
    await server.stop();
    await using again = await start({ dataDir: folder.path, native });
    expect(again.lines).toEqual([]);
  });
});

describe.runIf(isRoot)('started as root', () => {
  test('in a folder that only root can enter, keeps the database elsewhere, says so, and finds it again', async () => {
    await using folder = makeDataDir();
    mkdirSync(folder.path, { mode: 0o700 });
    const dataDir = join(folder.path, '.habeas');
    const first = await start({ dataDir });
    const elsewhere = JSON.parse(readFileSync(join(dataDir, 'postgres', 'elsewhere.json'), 'utf8')).folder;
    try {
      expect(elsewhere).toMatch(/^\/var\/lib\/habeas-[0-9a-f]{12}$/);
      expect(first.lines[0]).toBe(
        `PostgreSQL does not run as root, and no other user can enter ${dataDir}; the database is kept in ${elsewhere} instead`,
      );
      await query(first.url(), 'create table kept as select 7 as n');
      await first.stop();
      await using second = await start({ dataDir });
      expect([await one(second.url(), 'select n from kept'), second.lines]).toEqual([7, []]);
      await second.stop();
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
    await expect(start({ dataDir })).rejects.toMatchObject({
      code: 'EMBEDDED_DATABASE_FAILED',
      message: expect.stringContaining(`${elsewhere}, and that folder is gone`),
    });
  });

  test('runs the server as the owner of the data, who can go on with it later', async () => {
    using native = readableNative();
    await using folder = makeDataDir(ORDINARY_UID);
    const options = {
      uid: ORDINARY_UID,
      start: { dataDir: folder.path, native: native.path, settings: FAST },
    };
    const first = startUserProcess(options);
    await query((await first.until('ready')).url, 'create table kept as select 7 as n');
    await first.stop();
    const asRoot = await start({ dataDir: folder.path });
    expect(await one(asRoot.url(), 'select n from kept')).toBe(7);
    await asRoot.stop();
    const second = startUserProcess(options);
    expect(await one((await second.until('ready')).url, 'select n from kept')).toBe(7);
    await second.stop();
  });

  test('has made a database that another user is told of in plain words', async () => {
    using native = readableNative();
    await using folder = makeDataDir();
    await (await start({ dataDir: folder.path })).stop();
    const other = startUserProcess({
      uid: ORDINARY_UID,
      start: { dataDir: folder.path, native: native.path, settings: FAST },
    });
    expect(await other.until('failed')).toMatchObject({
      code: 'EMBEDDED_DATABASE_FAILED',
      text: expect.stringContaining('belongs to another user (uid 0). Start Habeas as that user'),
    });
  });
});

test('the log of the server holds nothing of the data that a statement failed on', async () => {
  await using folder = makeDataDir();
  await using server = await start({ dataDir: folder.path });
  await query(server.url(), 'create table people (email text primary key, age int)');
  await query(server.url(), `insert into people values ('ada@example.org', 36)`);
  const again = query(server.url(), 'insert into people values ($1, 36)', ['ada@example.org']);
  await expect(again).rejects.toThrow('duplicate key');
  await expect(query(server.url(), `select 'ada@example.org'::int`)).rejects.toThrow('invalid input syntax');
  await server.stop();
  const log = readFileSync(join(folder.path, 'postgres', 'server.log'), 'utf8');
  expect(log).toContain('database system is shut down');
  expect(log).not.toContain('ada@');
});

test('a second start in the same process joins the first, and stopping one leaves the other', async () => {
  await using folder = makeDataDir();
  await using first = await start({ dataDir: folder.path });
  const second = await start({ dataDir: folder.path });
  expect([first.adopted, second.adopted, second.url()]).toEqual([false, true, first.url()]);
  await second.stop();
  expect(await one(first.url(), 'select 1')).toBe(1);
});

function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
