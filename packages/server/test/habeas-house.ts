import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Migrations } from '../src/foundation/index.ts';
import { cliParts } from '../src/main.ts';
import { migrations } from '../src/migrations.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { type HabeasResult, runHabeas } from './run-habeas.ts';

export interface Serving {
  readonly url: string;
  readonly key: string | undefined;
  readonly out: string;
  stop(): Promise<HabeasResult>;
}

/** A folder and a database, and the real program over them in this process. */
export interface HabeasHouse extends AsyncDisposable {
  readonly folder: string;
  readonly database: TestDatabase;
  run(argv: readonly string[], environment?: NodeJS.ProcessEnv): Promise<HabeasResult>;
  /** `habeas serve` on a free port, until it is told to stop or the house goes. */
  serve(...argv: readonly string[]): Promise<Serving>;
}

/** (Default: on a database with all migrations; with none of them, a first start makes them) */
export async function openHabeasHouse(made: Migrations = migrations): Promise<HabeasHouse> {
  const database = await createTestDatabase(made);
  const folder = mkdtempSync(join(tmpdir(), 'habeas-process-'));
  const stops: (() => Promise<unknown>)[] = [];
  return {
    folder,
    database,
    run: (argv, environment = {}) =>
      runHabeas(argv, {
        folder,
        parts: cliParts,
        environment: { DATABASE_URL: database.url, ...environment },
      }),
    async serve(...argv) {
      const controller = new AbortController();
      const { promise: said, resolve } = Promise.withResolvers<string>();
      const ended = runHabeas(['serve', '--json', '--port', '0', '--log-level', 'silent', ...argv], {
        folder,
        parts: cliParts,
        environment: { DATABASE_URL: database.url },
        signal: controller.signal,
        onOut: resolve,
      });
      const stop = async () => {
        controller.abort();
        return ended;
      };
      stops.push(stop);
      const out = await Promise.race([said, ended.then(({ notes }) => Promise.reject(new Error(notes)))]);
      return { ...JSON.parse(out), out, stop };
    },
    async [Symbol.asyncDispose]() {
      for (const stop of stops.splice(0)) await stop();
      await database.close();
      rmSync(folder, { recursive: true });
    },
  };
}
