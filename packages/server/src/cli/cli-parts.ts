import type { CheckpointPlaces, LogVerdict } from '../audit/index.ts';
import type { Connections, Systems } from '../connectors/index.ts';
import type { Config, Logger, Migrations } from '../foundation/index.ts';
import type { DataMap } from '../map/index.ts';
import type { Notifications } from '../notify/index.ts';
import type { Partners } from '../partners/index.ts';
import type { Pauses, Streams } from '../requests/index.ts';

/** What the command line needs from the composition root; `main.ts` gives it. */
export interface CliParts {
  /** Version of the package. */
  readonly version: string;
  /** Brings the database up to date and makes the keys that are missing. Nothing runs yet. */
  readonly openState: (options: OpenStateOptions) => Promise<State>;
  /** All changes of the schema that this version knows. */
  readonly migrations: () => Promise<Migrations>;
}

export interface OpenStateOptions {
  /** A PostgreSQL database that answers. */
  readonly databaseUrl: string;
  readonly organizationId: string;
  /** Where the master key lies; absolute. */
  readonly dataDir: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly logger: Logger;
  /** Names the audit log in its checkpoints. (Default: habeas/<organization>) */
  readonly auditOrigin?: string | undefined;
  /** Where checkpoints are published, and what may be called for that. The log signs nothing that does not continue them. (Default: nowhere) */
  readonly checkpointPlaces?: Pick<Config, 'audit' | 'clients' | 'folder' | 'networks'>;
  /** `leave` makes no admin key where there is none, because nobody would see it. (Default: make) */
  readonly firstKey?: 'make' | 'leave';
}

/** The state of Habeas: a migrated database and its keys. */
export interface State {
  /** The admin key, if this was the first start; shown once and stored only as a hash. */
  readonly firstKey: string | undefined;
  /** Makes another admin key. */
  createKey(name: string): Promise<string>;
  /** The public keys by which services know Habeas' calls: Ed25519 in base64url. */
  publicKeys(): Promise<readonly string[]>;
  /** The switch that stops work, without a server: works where no server answers. Knows no systems. */
  readonly pauses: Pauses;
  /** The keys by which receipts and checkpoints are verified: `name+id+base64`, newest first. */
  verifierKeys(): Promise<readonly string[]>;
  /** Recomputes the audit log from its entries; it must continue these checkpoints, and the newest one in each place where they are published. */
  verifyAuditLog(published: readonly string[]): Promise<LogVerdict>;
  /** Puts the rooms together over a configuration. Nothing runs before {@link LocalServer.listen}. */
  createServer(config: Config, options: CreateServerOptions): Promise<LocalServer>;
  close(): Promise<void>;
}

export interface CreateServerOptions {
  /** Where services reach this server, for callbacks. */
  readonly publicUrl: string;
}

/** A server in this process. */
export interface LocalServer {
  readonly map: DataMap;
  readonly connections: Connections;
  /** All that requests reach, for a look at each. */
  readonly systems: Pick<Systems, 'connector'>;
  readonly notifications: Pick<Notifications, 'statuses'>;
  readonly streams: Pick<Streams, 'check'>;
  readonly pauses: Pauses;
  readonly partners: Pick<Partners, 'examine'>;
  /** Where checkpoints of the audit log are published; undefined: the state was opened without a configuration. */
  readonly checkpoints: Pick<CheckpointPlaces, 'check'> | undefined;
  /** Starts workers, the reading of the map and the REST API; gives its address. A taken port is an error of Node's. */
  listen(address: { readonly host: string; readonly port: number }): Promise<string>;
  /** Answers no more calls, lets running tasks end for a moment, and stops. Also without {@link listen}. */
  close(): Promise<void>;
}
