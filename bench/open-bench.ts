import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../packages/server/src/foundation/index.ts';
import type { Bench } from './benchmark.ts';
import { type Part, WHOLE } from './failpoints/part.ts';

/** More than the default: a server, a bare loop and their harness run at once. */
const SETTINGS = { max_connections: '200' };

/** The surroundings of one run: a temporary folder, and PostgreSQL from the first use on. */
export function openBench(options: {
  readonly seed: number;
  readonly say: (line: string) => void;
  /** (Default: 1,000) */
  readonly megabytes?: number;
  /** (Default: the whole) */
  readonly part?: Part;
}): Bench & AsyncDisposable {
  const root = mkdtempSync(join(tmpdir(), 'habeas-bench-'));
  // As root, the embedded server runs as another user, who has to get through.
  chmodSync(root, 0o755);
  let server: Promise<EmbeddedPostgres> | undefined;
  return {
    megabytes: 1_000,
    part: WHOLE,
    ...options,
    folder(name) {
      const folder = join(root, name);
      mkdirSync(folder, { recursive: true });
      return folder;
    },
    postgres() {
      server ??= startEmbeddedPostgres({
        dataDir: join(root, 'postgres'),
        settings: SETTINGS,
        onProgress: options.say,
      });
      return server;
    },
    async [Symbol.asyncDispose]() {
      await (await server)?.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
