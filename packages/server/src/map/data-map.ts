import type { api } from '@habeas/contract';
import type { System } from './system.ts';

/** The data map: what services declared about themselves, over time, and the answers that follow from it. */
export interface DataMap {
  /** Reads every source once and stores what changed. A source that fails is reported, never thrown. */
  poll(): Promise<PollReport>;
  /** Polls now and then again after each interval, until {@link stop}. */
  start(): void;
  /** Ends the reading that is under way and waits until nothing runs any more. */
  stop(): Promise<void>;
  map(query?: MapQuery): Promise<api.MapView>;
  services(): Promise<readonly api.ServiceView[]>;
  gaps(): Promise<readonly api.GapView[]>;
  /** Who holds a data type and who moves it. */
  holders(dataType: string): Promise<api.HoldersView>;
  listClients(): Promise<readonly api.ClientView[]>;
  /** Approves or rejects a client; what the same actor decided before changes nothing. Throws NOT_FOUND. */
  decideClient(options: DecideClientOptions): Promise<api.ClientView>;
  /** Every service that stores personal data, and how a request reaches it. */
  systems(): Promise<readonly System[]>;
}

export interface MapQuery {
  readonly team?: string | undefined;
  readonly service?: string | undefined;
  readonly data_type?: string | undefined;
}

export interface DecideClientOptions {
  readonly id: string;
  readonly decision: 'approved' | 'rejected';
  /** Who decides, as audit entries name it: `key:<id>`. */
  readonly actor: string;
}

export interface PollReport {
  readonly at: Date;
  readonly sources: readonly SourceReport[];
}

/** What one reading of one source brought. */
export interface SourceReport {
  /** The page's address without user, password and query. */
  readonly source: string;
  /** ok: read completely; partial: read, with lines that were refused, so that nothing was ended; failing: not read. */
  readonly state: 'ok' | 'partial' | 'failing';
  readonly declarations: number;
  /** Declarations that are new. */
  readonly started: number;
  /** Declarations that are gone. */
  readonly ended: number;
  /** Why it is failing. */
  readonly error: { readonly code: string; readonly message: string } | null;
  /** One line per thing that was refused; no values. */
  readonly warnings: readonly string[];
}
