import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { nativeFolder } from '../src/foundation/embedded-postgres/binaries.ts';
import type { EmbeddedPostgresOptions } from '../src/foundation/embedded-postgres/index.ts';
import { canEnter } from '../src/foundation/embedded-postgres/server-account.ts';
import { folderForData } from './folder-for-data.ts';

export interface ProcessOptions {
  /** Whom the process becomes. (Default: whoever runs the tests) */
  readonly uid?: number | undefined;
  readonly start: Omit<EmbeddedPostgresOptions, 'onProgress'>;
}

export type ProcessMessage =
  | { readonly kind: 'progress'; readonly line: string }
  | Ready
  | { readonly kind: 'failed'; readonly code: string; readonly text: string }
  | { readonly kind: 'stopped' };

export interface Ready {
  readonly kind: 'ready';
  readonly url: string;
  readonly superuserUrl: string;
  readonly adopted: boolean;
}

/** A process of its own that uses the embedded server. */
export interface UserProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** All that it said so far. */
  readonly messages: readonly ProcessMessage[];
  /** The first message of this kind; fails when the process ends without one. */
  until<Kind extends ProcessMessage['kind']>(kind: Kind): Promise<Extract<ProcessMessage, { kind: Kind }>>;
  /** Has it leave the server, and waits for its end. */
  stop(): Promise<void>;
  /** `kill -9`, and waits for its end. */
  kill(): Promise<void>;
}

/** Every system has this user, and none of its files matter. */
export const ORDINARY_UID = 65_534;

const SCRIPT = join(import.meta.dirname, 'embedded-postgres-process.ts');

export function startUserProcess(options: ProcessOptions): UserProcess {
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const messages: ProcessMessage[] = [];
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const look of waiting) look();
  };
  createInterface({ input: child.stdout }).on('line', (line) => {
    messages.push(JSON.parse(line) as ProcessMessage);
    wake();
  });
  child.stdout.on('close', wake);
  const until: UserProcess['until'] = (kind) =>
    new Promise((resolve, reject) => {
      const look = () => {
        const found = messages.find((message) => message.kind === kind);
        if (found !== undefined) resolve(found as Extract<ProcessMessage, { kind: typeof kind }>);
        else if (child.stdout.closed) reject(new Error(`no ${kind}, but ${JSON.stringify(messages)}`));
        else return;
        waiting.delete(look);
      };
      waiting.add(look);
      look();
    });
  return {
    child,
    pid: child.pid ?? 0,
    messages,
    until,
    stop: async () => {
      child.stdin.write('stop\n');
      await ended;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** A data folder of this test's own, which belongs to the given user and can be reached by everyone. */
export function makeDataDir(uid?: number): AsyncDisposable & { readonly path: string } {
  const folder = mkdtempSync(join(folderForData(), 'habeas-embedded-'));
  chmodSync(folder, 0o755);
  if (uid !== undefined) chownSync(folder, uid, uid);
  return {
    path: join(folder, 'data-dir'),
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }),
  };
}

/** PostgreSQL's programs where any user can read them: as installed, or a copy. */
export function readableNative(): Disposable & { readonly path: string } {
  const installed = nativeFolder();
  if (process.getuid?.() !== 0 || canEnter(installed, { uid: ORDINARY_UID, gid: ORDINARY_UID })) {
    return { path: installed, [Symbol.dispose]: () => undefined };
  }
  const folder = mkdtempSync(join(tmpdir(), 'habeas-native-'));
  chmodSync(folder, 0o755);
  cpSync(join(installed, '..'), folder, { recursive: true, verbatimSymlinks: true });
  return {
    path: join(folder, 'native'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Runs one statement on its own connection. */
export async function query(
  url: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly unknown[][]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<unknown[]>({ text, values: [...values], rowMode: 'array' })).rows;
  } finally {
    await client.end();
  }
}
