import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../examples/acme/free-ports.ts';
import type { Bench } from './benchmark.ts';
import { startHabeas } from './habeas-server.ts';
import { prepareState } from './habeas-state.ts';
import { createDatabase } from './on-database.ts';

const ORGANIZATION = 'bench';
export const PURPOSE_CODES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/** `habeas serve` that people tell what they agree to. */
export interface ConsentServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly key: string;
  readonly databaseUrl: string;
}

export async function serveConsent(
  bench: Bench,
  name: string,
  execArgv: readonly string[] = [],
): Promise<ConsentServer> {
  const postgres = await bench.postgres();
  await createDatabase(postgres.superuserUrl(), name);
  const databaseUrl = postgres.superuserUrl(name);
  const folder = bench.folder(name);
  const { key } = await prepareState({ databaseUrl, organizationId: ORGANIZATION, dataDir: folder });
  const config = join(folder, 'habeas.yaml');
  const purposes = PURPOSE_CODES.map((code) => ({ code, name: { en: code }, legal_basis: 'consent' }));
  writeFileSync(join(folder, 'purposes.yaml'), JSON.stringify({ purposes }));
  writeFileSync(
    config,
    JSON.stringify({
      organization: ORGANIZATION,
      data_dir: '.',
      listen: { calls_per_key: 100_000_000 },
      consent: { purposes: 'purposes.yaml' },
    }),
  );
  const [port = 0] = await freePorts(1);
  const log = join(folder, 'server.log');
  const server = startHabeas({ config, port, databaseUrl, environment: {}, log, execArgv });
  await server.ready;
  return {
    url: server.url,
    port,
    key,
    databaseUrl,
    [Symbol.asyncDispose]: () => server.end('SIGTERM'),
  };
}

/** test/empty-handler.ts in a process of its own. */
export async function serveEmptyHandler(): Promise<AsyncDisposable & { readonly port: number }> {
  const program = fileURLToPath(new URL('../packages/server/test/empty-handler.ts', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    port: Number(line.toString()),
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await gone;
    },
  };
}
