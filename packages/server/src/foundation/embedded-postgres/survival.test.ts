import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  makeDataDir,
  ORDINARY_UID,
  type ProcessOptions,
  query,
  readableNative,
  startUserProcess,
  type UserProcess,
} from '../../../test/embedded-postgres-user.ts';
import { eventually } from '../../../test/eventually.ts';
import { findRunningServer, leftoverProcesses, type RunningServer } from './pid-file.ts';
import { describeProcess } from './processes.ts';

const isRoot = process.getuid?.() === 0;

/** As root the server runs as another user; as an ordinary user it runs as that user. Both must survive the same. */
const accounts = isRoot
  ? [
      { account: 'root', uid: undefined },
      { account: 'an ordinary user', uid: ORDINARY_UID },
    ]
  : [{ account: 'an ordinary user', uid: undefined }];

let native: ReturnType<typeof readableNative>;
beforeAll(() => {
  native = readableNative();
});
afterAll(() => native[Symbol.dispose]());

describe.concurrent.each(accounts)('as $account, the embedded server', ({ uid }) => {
  const start = (dataDir: string, settings: Record<string, string> = { fsync: 'off' }): UserProcess => {
    const options: ProcessOptions = { uid, start: { dataDir, native: native.path, settings } };
    return startUserProcess(options);
  };
  const folders = (dataDir: string) => {
    const place = join(dataDir, 'postgres');
    return { place, data: join(place, 'data'), users: join(place, 'users') };
  };
  const running = (dataDir: string): RunningServer => {
    const found = findRunningServer(folders(dataDir).data);
    if (found === undefined) throw new Error('no server runs');
    return found;
  };
  const keeperOf = (dataDir: string): number => {
    const name = readdirSync(folders(dataDir).users)[0] ?? '';
    return JSON.parse(readFileSync(join(folders(dataDir).users, name), 'utf8')).keeper;
  };
  const remember = (url: string) => query(url, 'create table kept as select 7 as n');
  const remembered = async (url: string) => (await query(url, 'select n from kept'))[0]?.[0];
  const lines = (user: UserProcess) =>
    user.messages.flatMap((message) => (message.kind === 'progress' ? [message.line] : []));

  test('ends in a clean way when the last process that uses it is killed', async () => {
    await using folder = makeDataDir(uid);
    const first = start(folder.path);
    await remember((await first.until('ready')).url);
    const { pid } = running(folder.path);
    await first.kill();
    await eventually('the server has ended', () => describeProcess(pid) === undefined);
    expect(existsSync(join(folders(folder.path).data, 'postmaster.pid'))).toBe(false);

    const second = start(folder.path);
    const ready = await second.until('ready');
    expect([await remembered(ready.url), ready.adopted]).toEqual([7, false]);
    await second.stop();
    const log = readFileSync(join(folders(folder.path).place, 'server.log'), 'utf8');
    expect(log).toContain('received fast shutdown request');
    expect(log).not.toContain('automatic recovery in progress');
  });

  test('is taken over, with all that it holds, when it was left behind', async () => {
    await using folder = makeDataDir(uid);
    const first = start(folder.path);
    await remember((await first.until('ready')).url);
    const { pid } = running(folder.path);
    process.kill(keeperOf(folder.path), 'SIGKILL');
    await first.kill();

    const second = start(folder.path);
    const ready = await second.until('ready');
    expect([ready.adopted, running(folder.path).pid, await remembered(ready.url)]).toEqual([true, pid, 7]);
    await second.stop();
    expect(describeProcess(pid)).toBeUndefined();
  });

  test('starts again after it and its process were killed at once', async () => {
    await using folder = makeDataDir(uid);
    const first = start(folder.path, {});
    await remember((await first.until('ready')).url);
    const { pid } = running(folder.path);
    process.kill(keeperOf(folder.path), 'SIGKILL');
    process.kill(pid, 'SIGKILL');
    await first.kill();
    expect(existsSync(join(folders(folder.path).data, 'postmaster.pid'))).toBe(true);

    const second = start(folder.path, {});
    const ready = await second.until('ready');
    expect([ready.adopted, await remembered(ready.url)]).toEqual([false, 7]);
    await second.stop();
  });

  test('starts when the stale pid files name a process of another program, and leaves that one alone', async () => {
    await using folder = makeDataDir(uid);
    const first = start(folder.path);
    await remember((await first.until('ready')).url);
    const { pid, socketFolder } = running(folder.path);
    process.kill(keeperOf(folder.path), 'SIGKILL');
    process.kill(pid, 'SIGKILL');
    await first.kill();
    using stranger = startStranger(folder.path, uid ?? (isRoot ? ORDINARY_UID : undefined));
    recyclePid(join(folders(folder.path).data, 'postmaster.pid'), pid, stranger.pid);
    recyclePid(join(socketFolder, '.s.PGSQL.5432.lock'), pid, stranger.pid);

    const second = start(folder.path);
    const ready = await second.until('ready');
    expect([ready.adopted, await remembered(ready.url)]).toEqual([false, 7]);
    await second.stop();
    expect(describeProcess(stranger.pid)?.program).toBe('sleep');
  });

  test('starts when the pid file was cut short', async () => {
    await using folder = makeDataDir(uid);
    const first = start(folder.path);
    await remember((await first.until('ready')).url);
    await first.stop();
    writeFileSync(join(folders(folder.path).data, 'postmaster.pid'), '');

    const second = start(folder.path);
    expect(await remembered((await second.until('ready')).url)).toBe(7);
    await second.stop();
  });

  test('starts when a busy process of a killed server still holds its memory', async () => {
    await using folder = makeDataDir(uid);
    const first = start(folder.path);
    const { url } = await first.until('ready');
    await remember(url);
    const { pid } = running(folder.path);
    // This loop never waits, so it does not notice that its server is gone.
    const busy = query(url, `do $$ begin loop null; end loop; end $$`);
    const ended = busy.catch((error: unknown) => error);
    const isBusy = `select count(*)::int from pg_stat_activity where query like 'do %' and state = 'active'`;
    await eventually('the loop runs', async () => (await query(url, isBusy))[0]?.[0] === 1);
    process.kill(keeperOf(folder.path), 'SIGKILL');
    process.kill(pid, 'SIGKILL');
    await first.kill();
    expect(leftoverProcesses(folders(folder.path).data).length).toBeGreaterThan(0);

    const second = start(folder.path);
    expect(await remembered((await second.until('ready')).url)).toBe(7);
    await second.stop();
    expect(await ended).toBeInstanceOf(Error);
    expect(leftoverProcesses(folders(folder.path).data)).toEqual([]);
  });

  test('is ended and started anew when it was left behind and does not answer', async () => {
    await using folder = makeDataDir(uid);
    const first = start(folder.path);
    await remember((await first.until('ready')).url);
    const { pid } = running(folder.path);
    process.kill(keeperOf(folder.path), 'SIGKILL');
    process.kill(pid, 'SIGSTOP');
    await first.kill();

    const second = start(folder.path);
    const ready = await second.until('ready');
    expect([ready.adopted, await remembered(ready.url)]).toEqual([false, 7]);
    expect(describeProcess(pid)).toBeUndefined();
    expect(lines(second)).toContain(
      `ending a PostgreSQL of an earlier run that does not answer (pid ${pid})`,
    );
    await second.stop();
  });

  test('comes back under the same address when it alone is killed', async () => {
    await using folder = makeDataDir(uid);
    const user = start(folder.path);
    const { url } = await user.until('ready');
    await remember(url);
    const { pid } = running(folder.path);
    process.kill(pid, 'SIGKILL');
    await eventually('a new server runs', () => {
      const found = findRunningServer(folders(folder.path).data);
      return found !== undefined && found.pid !== pid && found.status === 'ready';
    });
    expect(await remembered(url)).toBe(7);
    await user.stop();
    expect(findRunningServer(folders(folder.path).data)).toBeUndefined();
  });

  test('is one server for processes that start at the same time, and lives until the last of them leaves', async () => {
    await using folder = makeDataDir(uid);
    const users = [start(folder.path), start(folder.path), start(folder.path)];
    const ready = await Promise.all(users.map((user) => user.until('ready')));
    expect(ready.map(({ adopted }) => adopted).sort()).toEqual([false, true, true]);
    expect(new Set(ready.map(({ url }) => url)).size).toBe(1);
    const { pid } = running(folder.path);
    const [starter, killed, last] = [...users].sort(
      (one, other) =>
        Number(ready[users.indexOf(one)]?.adopted) - Number(ready[users.indexOf(other)]?.adopted),
    );
    await remember(ready[0]?.url ?? '');
    await starter?.stop();
    await killed?.kill();
    expect([running(folder.path).pid, await remembered(ready[0]?.url ?? '')]).toEqual([pid, 7]);
    await last?.stop();
    expect(describeProcess(pid)).toBeUndefined();
  });

  test('begins again when the first start was killed half-way', async () => {
    // Whoever comes too late to kill it half-way tries with another one.
    for (let tries = 1; ; tries += 1) {
      await using folder = makeDataDir(uid);
      const { place, data } = folders(folder.path);
      const unfinished = () =>
        existsSync(place) ? readdirSync(place).filter((name) => name.startsWith('unfinished-')) : [];
      const first = start(folder.path);
      const isHalfMade = () => unfinished().some((name) => readdirSync(join(place, name)).length > 5);
      await eventually('initdb is at work', () => isHalfMade() || existsSync(data));
      await first.kill();
      if (existsSync(data) && tries < 5) continue;
      expect(existsSync(data)).toBe(false);

      const second = start(folder.path);
      expect(await query((await second.until('ready')).url, 'select 1')).toEqual([[1]]);
      expect(unfinished()).toEqual([]);
      await second.stop();
      return;
    }
  });
});

interface Stranger extends Disposable {
  readonly pid: number;
}

/** A living process that has nothing to do with PostgreSQL but runs as the server's user, which PostgreSQL checks for. */
function startStranger(dataDir: string, uid: number | undefined): Stranger {
  const child: ChildProcess = spawn('sleep', ['600'], {
    stdio: 'ignore',
    cwd: '/',
    argv0: 'sleep',
    env: { DATA: dataDir, PATH: process.env.PATH },
    ...(uid === undefined ? {} : { uid }),
  });
  return {
    pid: child.pid ?? 0,
    [Symbol.dispose]: () => {
      child.kill('SIGKILL');
    },
  };
}

function recyclePid(file: string, from: number, to: number): void {
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(String(from), String(to)));
}

test('a process that ended is told from a later one with the same id', async () => {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  const before = describeProcess(child.pid ?? 0);
  expect(before?.program).toBe('sleep');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(describeProcess(child.pid ?? 0)).toBeUndefined();
});
