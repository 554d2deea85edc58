import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAzurite } from '../azurite-server.ts';
import { type Api, apiOf } from '../e2e/api.ts';
import { startServe } from '../e2e/habeas-command.ts';
import { type MotoServer, startMoto } from '../moto-server.ts';
import { requireProgram } from '../requirements.ts';
import type { CanaryStore, StoreOptions } from './canary-store.ts';
import type { MarkedPerson } from './people.ts';
import { openAzureStore } from './stores/azure-store.ts';
import { openDynamoDbStore } from './stores/dynamodb-store.ts';
import { openFilesStore } from './stores/files-store.ts';
import { openLakeStore } from './stores/lake-store.ts';
import { openLogsStore } from './stores/logs-store.ts';
import { openMariadbStore } from './stores/mariadb-store.ts';
import { openPostgresStore } from './stores/postgres-store.ts';
import { openRedisStore } from './stores/redis-store.ts';
import { openSphinxStore } from './stores/sphinx-store.ts';
import { openSqliteStore } from './stores/sqlite-store.ts';

/** A company whose stores all have something of everybody, and a server of Habeas that acts on all of them. */
export interface CanaryCompany extends AsyncDisposable {
  readonly stores: readonly CanaryStore[];
  readonly api: Api;
  /** What the server printed since it was started. */
  printed(): string;
  /** Ends the server in the middle of whatever it does, and starts another. */
  killServer(): Promise<void>;
  /** Ends the server; its folder, in which its own database lies. */
  stopServer(): Promise<string>;
}

/** Opens what the machine has servers for; says in a line each what it does not have. */
export async function openCanaryCompany(people: readonly MarkedPerson[]): Promise<CanaryCompany> {
  await using opened = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'habeas-canary-'));
  chmodSync(folder, 0o755);
  opened.defer(() => rmSync(folder, { recursive: true, force: true }));
  const stores = await openStores({ folder, people }, opened);
  const config = join(folder, 'habeas.yaml');
  for (const { key, dataset } of stores) writeFileSync(join(folder, `${key}.yml`), dataset);
  writeFileSync(
    config,
    JSON.stringify({
      data_dir: join(folder, '.habeas'),
      connections: stores.map(({ key, connection }) => ({
        key,
        team: 'all',
        ...connection,
        datasets: [`${key}.yml`],
      })),
    }),
  );
  const start = () =>
    startServe(['--config', config, '--port', '0', '--log-level', 'debug'], {
      environment: { DATABASE_URL: undefined },
      folder,
    });
  let server = await start();
  const { key = '' } = server;
  let api = apiOf({ url: server.url, key });
  opened.defer(async () => {
    await server.end('SIGKILL');
  });
  const closing = opened.move();
  return {
    stores,
    get api() {
      return api;
    },
    printed: () => server.printed(),
    async killServer() {
      await server.end('SIGKILL');
      server = await start();
      api = apiOf({ url: server.url, key });
    },
    async stopServer() {
      await server.end('SIGTERM');
      return join(folder, '.habeas');
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

async function openStores(
  { folder, people }: StoreOptions,
  opened: AsyncDisposableStack,
): Promise<readonly CanaryStore[]> {
  const own = (name: string): StoreOptions => {
    const path = join(folder, name);
    mkdirSync(path);
    return { folder: path, people };
  };
  const opening: Promise<CanaryStore>[] = [
    openPostgresStore(own('postgres')),
    openSqliteStore(own('sqlite')),
    openFilesStore(own('files')),
    openLogsStore(own('logs')),
  ];
  if (requireProgram('mariadbd', '--version') !== undefined) opening.push(openMariadbStore(own('mariadb')));
  if (requireProgram('redis-server', '--version') !== undefined) opening.push(openRedisStore(own('redis')));
  if (requireProgram('moto_server', '--help') !== undefined) {
    const moto: MotoServer = opened.use(await startMoto());
    opening.push(openLakeStore({ ...own('lake'), moto }), openDynamoDbStore({ ...own('dynamodb'), moto }));
  }
  if (requireProgram('searchd', '--help') !== undefined) opening.push(openSphinxStore(own('sphinx')));
  if (requireProgram('azurite-blob', '--version') !== undefined) {
    const azurite = opened.use(await startAzurite());
    opening.push(openAzureStore({ ...own('azure'), azurite }));
  }
  const outcomes = await Promise.allSettled(opening);
  for (const outcome of outcomes) if (outcome.status === 'fulfilled') opened.use(outcome.value);
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}
