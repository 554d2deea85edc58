import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { type Acme, type AcmeOptions, startAcme } from '../../../../examples/acme/index.ts';
import { createLogger } from '../../src/foundation/index.ts';
import { openState } from '../../src/main.ts';
import { migrations } from '../../src/migrations.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { laidOver, type Settings } from '../laid-over.ts';
import { type Api, apiOf } from './api.ts';
import { type CommandResult, habeas, type ServeProcess, startServe } from './habeas-command.ts';

const EXAMPLE = fileURLToPath(new URL('../../../../examples/acme/', import.meta.url));

/** What the example says about the shop's database. */
export const SHOP_DATASET: string = resolve(EXAMPLE, 'datasets/shop.yml');

export interface HouseOptions {
  /** (Default: 60) */
  readonly people?: number;
  /** (Default: acme) */
  readonly organization?: string;
  readonly switches?: NonNullable<AcmeOptions['switches']>;
  /** Laid over the example's configuration. */
  readonly config?: Settings;
  /** Where the state is, and under which master key; another house's to share it. (Default: its own) */
  readonly state?: Pick<House, 'database' | 'dataDir'>;
}

/** The example company, a database for the state of Habeas, and its configuration: what servers and commands run on. */
export interface House extends AsyncDisposable {
  readonly acme: Acme;
  readonly folder: string;
  readonly dataDir: string;
  readonly database: TestDatabase;
  /** The shop's database. */
  readonly shop: TestDatabase;
  /** An admin key of the organization. */
  readonly key: string;
  /** By which services know the calls of this Habeas. */
  readonly publicKeys: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Writes a configuration file; laid over the house's own one. Gives its path. */
  configure(name: string, settings?: Settings): string;
  /** Starts `habeas serve`. (Default: with the house's configuration) */
  serve(config?: string): Promise<Served>;
  /** Runs one command with the key, against the server if one is named. */
  run(
    argv: readonly string[],
    options?: { readonly server?: Served; readonly input?: string },
  ): Promise<CommandResult>;
}

export interface Served extends ServeProcess, AsyncDisposable {
  readonly api: Api;
}

/** Short waits, so that what has to go wrong goes wrong soon; everything else is the example's own configuration. */
const FAST: Settings = {
  map: { interval: '500ms', timeout: '2s' },
  requests: { retries: { max_failures: 2, first_delay: '20ms', longest_delay: '100ms' } },
};

export async function openHouse(options: HouseOptions = {}): Promise<House> {
  await using opened = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'habeas-house-'));
  opened.defer(() => rmSync(folder, { recursive: true, force: true }));
  const dataDir = options.state?.dataDir ?? join(folder, '.habeas');
  const organization = options.organization ?? 'acme';
  const database = options.state?.database ?? opened.use(await createTestDatabase(migrations));
  const shop = opened.use(await createTestDatabase());
  const { key, publicKeys } = await prepareState({
    databaseUrl: database.url,
    organizationId: organization,
    dataDir,
  });

  const acme = await startAcme({
    folder: join(folder, 'acme'),
    shopDatabaseUrl: shop.url,
    people: options.people ?? 60,
    habeasPublicKeys: publicKeys,
    switches: { mailer: ['--delay=0-20'], ...options.switches },
  });
  opened.defer(() => acme.stop());
  const environment = { ...acme.environment, DATABASE_URL: database.url };
  const configure: House['configure'] = (name, settings = {}) => {
    const file = join(folder, name);
    const own = { organization, data_dir: dataDir };
    const all = [exampleConfiguration(), FAST, own, options.config ?? {}, settings].reduce(laidOver);
    writeFileSync(file, stringify(all));
    return file;
  };
  const config = configure('habeas.yaml');
  const closing = opened.move();

  return {
    acme,
    folder,
    dataDir,
    database,
    shop,
    key,
    publicKeys,
    environment,
    configure,
    async serve(file = config) {
      const argv = ['--config', file, '--port', '0', '--log-level', 'debug'];
      const served = await startServe(argv, { environment });
      const kill = async () => {
        await served.end('SIGKILL');
      };
      closing.defer(kill);
      return { ...served, api: apiOf({ url: served.url, key }), [Symbol.asyncDispose]: kill };
    },
    run: (argv, { server, input } = {}) =>
      habeas(argv, {
        folder,
        ...(input === undefined ? {} : { input }),
        environment: {
          ...environment,
          HABEAS_API_KEY: key,
          ...(server === undefined ? {} : { HABEAS_URL: server.url }),
        },
      }),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** Migrates the database and makes the keys before any server runs on it, so that the services can know them. */
async function prepareState(options: {
  readonly databaseUrl: string;
  readonly organizationId: string;
  readonly dataDir: string;
}): Promise<Pick<House, 'key' | 'publicKeys'>> {
  const logger = createLogger({ level: 'silent' });
  const state = await openState({ ...options, environment: {}, logger });
  try {
    return { key: await state.createKey('tests'), publicKeys: await state.publicKeys() };
  } finally {
    await state.close();
  }
}

function exampleConfiguration(): Settings {
  const settings: Settings = parse(readFileSync(join(EXAMPLE, 'habeas.yaml'), 'utf8'));
  const text = JSON.stringify(settings)
    .replaceAll('datasets/shop.yml', SHOP_DATASET)
    .replaceAll('purposes.yaml', join(EXAMPLE, 'purposes.yaml'));
  return JSON.parse(text);
}

/** The connection to the shop by another address, dataset or key. */
export function shopWith(changes: Settings): Settings {
  const [shop] = exampleConfiguration().connections as readonly Settings[];
  return { connections: [{ ...shop, ...changes }] };
}
