import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Config, HabeasError } from '../foundation/index.ts';
import { type ConnectionKind, isModule } from './connection-kind.ts';
import type { Capability, Connector } from './connector.ts';
import { createPostgresConnector } from './postgres/index.ts';

/** Kinds that Habeas brings along; a module is loaded when a connection needs it. */
const OWN_KINDS: Readonly<Record<string, () => Promise<ConnectionKind>>> = {
  postgres: async () => createPostgresConnector,
  mysql: async () => (await import('./mysql/index.ts')).createMysqlConnector,
  sqlite: async () => (await import('./sqlite/index.ts')).createSqliteConnector,
  redis: async () => (await import('./redis/index.ts')).createRedisConnector,
  files: async () => (await import('./files/index.ts')).createFilesConnector,
  logs: async () => (await import('./logs/index.ts')).createLogsConnector,
  dynamodb: async () => (await import('./dynamodb/index.ts')).createDynamoDbConnector,
  s3: async () => (await import('./objects/index.ts')).createS3Connector,
  sphinx: async () => (await import('./sphinx/index.ts')).createSphinxConnector,
  memcached: async () => (await import('./lifetimes/index.ts')).createMemcachedConnector,
  rabbitmq: async () => (await import('./lifetimes/index.ts')).createRabbitmqConnector,
  nats: async () => (await import('./lifetimes/index.ts')).createNatsConnector,
  azure: async () => (await import('./objects/index.ts')).createAzureConnector,
};

/**
 * The kinds that the connections of a configuration name, by name. A kind that Habeas does not have is left out; a module of the
 * user's that cannot be loaded, or that makes no connector, throws CONFIG_INVALID.
 */
export async function loadConnectionKinds(
  config: Pick<Config, 'connections' | 'folder'>,
): Promise<Readonly<Record<string, ConnectionKind>>> {
  const names = new Set([...Object.keys(OWN_KINDS), ...config.connections.map(({ kind }) => kind)]);
  const used = new Set(config.connections.map(({ kind }) => kind));
  const kinds: Record<string, ConnectionKind> = {};
  for (const name of names) {
    const own = OWN_KINDS[name];
    if (own !== undefined) kinds[name] = used.has(name) ? await own() : notUsed;
    else if (isModule(name)) kinds[name] = await loadModule(name, config.folder);
  }
  return kinds;
}

/** Stands for a kind that no connection names, so that messages can list it without its module being loaded. */
const notUsed: ConnectionKind = ({ key }) => {
  throw new HabeasError('INTERNAL', `The kind of connection ${key} was not loaded.`);
};

async function loadModule(name: string, folder: string): Promise<ConnectionKind> {
  const file = resolve(folder, name);
  const invalid = (text: string, cause?: unknown) =>
    new HabeasError('CONFIG_INVALID', `The connector ${name} ${text} (docs/write-a-connector.md)`, {
      cause,
      place: { file },
    });
  let module: Readonly<Record<string, unknown>>;
  try {
    module = await import(pathToFileURL(file).href);
  } catch (cause) {
    const why = cause instanceof Error ? `: ${cause.message}` : '';
    throw invalid(`cannot be loaded${why}.`, cause);
  }
  const { createConnector } = module;
  if (typeof createConnector !== 'function') throw invalid('does not export a function `createConnector`.');
  return (settings) => {
    const made: unknown = createConnector(settings);
    const lacks = whatLacks(made);
    if (lacks !== undefined) throw invalid(`makes something that is no connector: it has no ${lacks}.`);
    return made as Connector;
  };
}

const METHODS = ['check', 'collect', 'erase', 'verify', 'close'] as const;

/** Which method each capability needs beside those that every connector has. */
const METHOD_OF: Partial<Readonly<Record<Capability, string>>> = {
  resolve: 'resolve',
  locate: 'locate',
  discover: 'discover',
  rectify: 'change',
  restrict: 'change',
  object: 'change',
};

/** The first thing without which it is no connector. */
function whatLacks(made: unknown): string | undefined {
  if (typeof made !== 'object' || made === null) return 'methods';
  const isMethod = (name: string) => typeof Reflect.get(made, name) === 'function';
  const method = METHODS.find((name) => !isMethod(name));
  if (method !== undefined) return `method \`${method}\``;
  const capabilities: unknown = Reflect.get(made, 'capabilities');
  if (!(capabilities instanceof Set)) return 'set of `capabilities`';
  for (const [capability, name] of Object.entries(METHOD_OF))
    if (capabilities.has(capability) && !isMethod(name))
      return `method \`${name}\`, although it says that it can ${capability}`;
  return undefined;
}
