import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Acme, type AcmeOptions, startAcme } from '@habeas/example-acme';
import { freePorts } from '../examples/acme/free-ports.ts';
import { type ApiClient, createApiClient } from '../packages/server/src/cli/api-client.ts';
import { yamlLaidOver } from '../packages/server/test/laid-over.ts';
import { type HabeasServer, startHabeas } from './habeas-server.ts';
import { prepareState } from './habeas-state.ts';
import { createDatabase } from './on-database.ts';

const EXAMPLE = fileURLToPath(new URL('../examples/acme/', import.meta.url));
const MAP_MILLISECONDS = 120_000;

export interface CompanyOptions extends Pick<AcmeOptions, 'people' | 'switches'> {
  /** Its own; everything is kept below it. */
  readonly folder: string;
  /** The URL of a database on the PostgreSQL server, as a superuser. (Default: the maintenance database) */
  readonly databaseUrl: (name?: string) => string;
  /** Begins the names of the databases. */
  readonly name: string;
  /** Most tasks at once on each system. */
  readonly concurrency: number;
  /** Further keys that the services accept: Ed25519 in base64url. (Default: none) */
  readonly otherKeys?: readonly string[];
  /** More sections of `habeas.yaml`. (Default: none) */
  readonly more?: string;
}

/** The example company, and a Habeas for it that is started when it is asked for. */
export interface Company {
  readonly acme: Acme;
  readonly client: ApiClient;
  readonly url: string;
  readonly key: string;
  /** Habeas' own database. */
  readonly stateUrl: string;
  /** Starts Habeas, always at the same address. */
  start(execArgv?: readonly string[]): HabeasServer;
  /** Waits until Habeas has read the map, so that a plan reaches all four systems. */
  mapped(): Promise<void>;
  stop(): Promise<void>;
}

export async function openCompany(options: CompanyOptions): Promise<Company> {
  const { folder, name } = options;
  mkdirSync(folder, { recursive: true });
  const stateUrl = options.databaseUrl(`${name}_state`);
  const shopDatabaseUrl = options.databaseUrl(`${name}_shop`);
  for (const database of [`${name}_state`, `${name}_shop`])
    await createDatabase(options.databaseUrl(), database);
  const config = writeConfig(options);
  const state = await prepareState({ databaseUrl: stateUrl, organizationId: 'acme', dataDir: folder });
  const acme = await startAcme({
    folder: join(folder, 'acme'),
    shopDatabaseUrl,
    habeasPublicKeys: [...state.publicKeys, ...(options.otherKeys ?? [])],
    fresh: true,
    ...(options.people === undefined ? {} : { people: options.people }),
    ...(options.switches === undefined ? {} : { switches: options.switches }),
  });
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const client = createApiClient({ url, key: state.key });
  const log = join(folder, 'server.log');
  return {
    acme,
    client,
    url,
    key: state.key,
    stateUrl,
    start: (execArgv = []) =>
      startHabeas({ config, port, databaseUrl: stateUrl, environment: acme.environment, log, execArgv }),
    mapped: () => waitForMap(client),
    stop: () => acme.stop(),
  };
}

/** The example's own configuration, with data in the folder and the concurrency that is measured. */
function writeConfig(options: CompanyOptions): string {
  cpSync(join(EXAMPLE, 'datasets'), join(options.folder, 'datasets'), { recursive: true });
  cpSync(join(EXAMPLE, 'purposes.yaml'), join(options.folder, 'purposes.yaml'));
  const example = readFileSync(join(EXAMPLE, 'habeas.yaml'), 'utf8');
  const concurrent = `data_dir: .\n${example}`
    .replace('\nclients:\n', `\nclients:\n  concurrency: ${options.concurrency}\n`)
    .replace('    kind: postgres\n', `    kind: postgres\n    concurrency: ${options.concurrency}\n`);
  if (concurrent.split('concurrency:').length !== 3)
    throw new Error("The example's habeas.yaml has another shape.");
  const file = join(options.folder, 'habeas.yaml');
  writeFileSync(file, yamlLaidOver(concurrent, options.more ?? ''));
  return file;
}

async function waitForMap(client: ApiClient): Promise<void> {
  const wanted = [
    'collect:accounts',
    'collect:mailer',
    'collect:shop',
    'resolve:accounts',
    'ticket:analytics',
  ];
  for (const end = Date.now() + MAP_MILLISECONDS; Date.now() < end; await delay(100)) {
    const plan = await client.previewPlan({ right: 'access', identity_types: ['email'] });
    const tasks = new Set(plan.tasks.map((task) => task.key));
    if (wanted.every((key) => tasks.has(key))) return;
  }
  throw new Error('Habeas did not find all systems of the example company.');
}
