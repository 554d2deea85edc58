import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { type Config, closeAll, createLogger, loadConfig, openDatabase } from '../../foundation/index.ts';
import { type ApiClient, createApiClient } from '../api-client.ts';
import type { LocalServer } from '../cli-parts.ts';
import type { CliContext } from '../context.ts';
import { publicUrlOf } from '../local-server.ts';
import { holdFreePort } from '../port.ts';
import { openPostgres, type Postgres } from '../postgres.ts';
import { EXAMPLE_FOLDER, type ExampleCompany, type ExampleModule, loadExample } from './example.ts';

/** Everything that the demonstration starts. */
export interface DemoCompany {
  readonly example: ExampleModule;
  readonly company: ExampleCompany;
  readonly server: LocalServer;
  readonly client: ApiClient;
  readonly url: string;
  readonly key: string;
  /** The keys by which its receipts are verified. */
  verifierKeys(): Promise<readonly string[]>;
  /** Where the demonstration leaves what it made. */
  readonly folder: string;
  close(): Promise<void>;
}

export interface StartDemoOptions {
  readonly people: number;
  /** The first port to try. */
  readonly port: number;
  /** Told when a part begins, so that a person sees what is waited for. */
  readonly onPart: (part: string) => void;
  /** Told what happens while a part begins, such as where its data is kept. */
  readonly onProgress: (line: string) => void;
}

const HOST = '127.0.0.1';
const CLOSE_MILLISECONDS = 40_000;
const KEY_NAME = 'demonstration';

/**
 * Starts PostgreSQL, the four services with new data, and Habeas, each demonstration on databases and folders of its own:
 * they are named after the port, which no other one that runs can have.
 */
export async function startDemo(context: CliContext, options: StartDemoOptions): Promise<DemoCompany> {
  const { environment, onPart } = { ...options, environment: context.environment };
  const started: (() => Promise<void>)[] = [];
  const close = async () => {
    const parts = started.splice(0).reverse();
    await closeAll(
      parts.map((stop, index) => ({
        name: `part ${parts.length - index} of the demonstration`,
        close: stop,
      })),
      { withinMilliseconds: CLOSE_MILLISECONDS },
    );
  };
  try {
    const dataDir = join(context.folder, '.habeas');
    const folder = join(dataDir, 'demo');
    mkdirSync(folder, { recursive: true });
    const example = await loadExample();

    onPart('PostgreSQL');
    const postgres = await openPostgres({ dataDir, environment, onProgress: options.onProgress });
    started.push(() => postgres.stop());
    const held = await holdFreePort({ host: HOST, port: options.port });
    started.push(() => held.release());
    const { port } = held;
    const [stateDatabase, shopDatabase] = [`habeas_demo_${port}`, `habeas_demo_shop_${port}`];
    await makeAnew(postgres, [stateDatabase, shopDatabase]);

    const logger = createLogger({
      destination: createWriteStream(join(folder, 'habeas.log'), { mode: 0o600 }),
    });
    const state = await context.parts.openState({
      databaseUrl: postgres.url(stateDatabase),
      organizationId: 'acme',
      dataDir,
      environment,
      logger,
    });
    started.push(() => state.close());

    onPart(`4 services with ${options.people.toLocaleString('en-US')} people`);
    const company = await example.startAcme({
      folder: join(folder, `acme-${port}`),
      shopDatabaseUrl: postgres.url(shopDatabase),
      people: options.people,
      habeasPublicKeys: await state.publicKeys(),
      fresh: true,
    });
    started.push(() => company.stop());

    onPart('Habeas');
    const config = demoConfig({ company, environment, dataDir, port });
    const server = await state.createServer(config, { publicUrl: publicUrlOf(config, config.listen) });
    started.push(() => server.close());
    await held.release();
    const url = await server.listen(config.listen);
    const key = state.firstKey ?? (await state.createKey(KEY_NAME));
    const client = createApiClient({ url, key, signal: context.signal });
    return {
      example,
      company,
      server,
      client,
      url,
      key,
      verifierKeys: () => state.verifierKeys(),
      folder,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function demoConfig(options: {
  readonly company: ExampleCompany;
  readonly environment: NodeJS.ProcessEnv;
  readonly dataDir: string;
  readonly port: number;
}): Config {
  const config = loadConfig({
    file: join(EXAMPLE_FOLDER, 'habeas.yaml'),
    environment: { ...options.environment, ...options.company.environment },
  });
  return {
    ...config,
    data_dir: options.dataDir,
    listen: { ...config.listen, host: HOST, port: options.port },
  };
}

/** Empty databases; what a former demonstration on the same port left goes. */
async function makeAnew(postgres: Postgres, names: readonly string[]): Promise<void> {
  const { db, close } = openDatabase({ url: postgres.url(), connections: 1 });
  try {
    for (const name of names) {
      await sql`drop database if exists ${sql.id(name)} with (force)`.execute(db);
      await sql`create database ${sql.id(name)}`.execute(db);
    }
  } finally {
    await close();
  }
}
