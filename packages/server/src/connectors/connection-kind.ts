import type { Dataset, KeepRule } from '../catalog/index.ts';
import type { Clock, ConnectionConfig } from '../foundation/index.ts';
import type { Connector } from './connector.ts';

/** Makes the connector of one kind of system that a connection can name. Nothing is reached before the connector is used. */
export type ConnectionKind = (settings: ConnectionSettings) => Connector;

export interface ConnectionSettings {
  readonly key: string;
  readonly url: string;
  /** Where the configuration lies; absolute. */
  readonly folder: string;
  /** `options` of the connection. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly datasets: readonly Dataset[];
  readonly keepRules: readonly KeepRule[];
  /** Decides which duties to keep have ended. */
  readonly clock: Clock;
  /** Most tasks at once. */
  readonly connections: number;
}

/** Whether a kind is an ES module of the user's: a path with a slash in it. */
export function isModule(kind: string): boolean {
  return kind.includes('/');
}

/** Kinds of our own that need more than an address. */
const WITH_OPTIONS: ReadonlySet<string> = new Set([
  'postgres',
  'mysql',
  'sqlite',
  's3',
  'azure',
  'dynamodb',
  'sphinx',
  'rabbitmq',
  'nats',
]);

/** Whether a kind takes `options`; it reads them itself. */
export function takesOptions(kind: string): boolean {
  return isModule(kind) || WITH_OPTIONS.has(kind);
}

/** Kinds of stores in which nobody can be found: collections declare how long their data lives (`lifetime`). */
const ENDING_BY_THEMSELVES: ReadonlySet<string> = new Set(['memcached', 'rabbitmq', 'nats']);

export function endsByItself(kind: string): boolean {
  return ENDING_BY_THEMSELVES.has(kind);
}

/** Kinds whose tasks of one moment are one pass over the store: the more wait for it, the fewer passes there are. */
const SHARING_PASSES: ReadonlySet<string> = new Set(['s3', 'azure', 'sphinx']);

/** Most tasks at once on a connection, per server process. */
export function concurrencyOf({ kind, concurrency }: Pick<ConnectionConfig, 'kind' | 'concurrency'>): number {
  return concurrency ?? (SHARING_PASSES.has(kind) ? 64 : 4);
}
