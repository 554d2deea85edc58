import type { api } from '@habeas/contract';
import type { WrittenMap } from './map-answer.ts';
import type { TargetGroup } from './sources/catalog-targets.ts';
import type { Push } from './sources/pushes.ts';
import type { System } from './system.ts';

/** The data map: what services declared about themselves, over time, and the answers that follow from it. */
export interface DataMap {
  /** Reads every source once and stores what changed. A source that fails is reported, never thrown. */
  poll(): Promise<PollReport>;
  /** Reads what is left of the histories of the sources. {@link start} does it too. */
  backfill(): Promise<void>;
  /** Stores what a job that is never scraped says about itself. */
  push(push: Push): Promise<SourceReport>;
  /** What Prometheus could scrape. */
  targets(): Promise<readonly TargetGroup[]>;
  /** Polls now and then again after each interval, until {@link stop}. */
  start(): void;
  /** Ends the reading that is under way and waits until nothing runs any more. */
  stop(): Promise<void>;
  /** Throws BAD_INPUT for a moment to come, NOT_FOUND for a service that is not in the map; so do all that take a filter. */
  map(query?: Partial<api.MapQuery>): Promise<api.MapView>;
  /** {@link map} as JSON, without an object for each of its flows. */
  mapJson(query?: Partial<api.MapQuery>): Promise<WrittenMap>;
  /** What changed between two moments, as JSON: {@link mapJson} without the map. */
  changesJson(query: api.MapChangesQuery): Promise<WrittenMap>;
  services(): Promise<readonly api.ServiceView[]>;
  /** What is missing now. */
  gaps(): Promise<readonly api.GapView[]>;
  gapList(query?: Partial<api.GapListQuery>): Promise<api.GapListView>;
  /** Says that a gap is right as it is, or gives a data type its category. Throws NOT_FOUND, BAD_INPUT. */
  approveGap(options: ApproveGapOptions): Promise<api.GapView>;
  /** Says that it must not stay so. Throws NOT_FOUND. */
  rejectGap(options: Omit<ApproveGapOptions, 'category'>): Promise<api.GapView>;
  /** Takes back what was decided about a gap. Throws NOT_FOUND, and CONFLICT if nothing was. */
  reopenGap(options: Omit<ApproveGapOptions, 'category'>): Promise<api.GapView>;
  /** Who holds a data type and who moves it. */
  holders(dataType: string): Promise<api.HoldersView>;
  /** Where the data of a service comes from or goes to, each data type by itself. */
  reach(direction: 'upstream' | 'downstream', query: api.ReachQuery): Promise<api.ReachView>;
  /** The ways of data from one service to another. */
  paths(query: api.PathsQuery): Promise<api.PathsView>;
  /** Whom it concerns if a service goes away or is breached. */
  impact(query: api.ReachQuery): Promise<api.ImpactView>;
  /** How far the data of each service comes and goes. */
  impacts(filter?: Partial<api.MapFilter>): Promise<api.ImpactListView>;
  listClients(): Promise<readonly api.ClientView[]>;
  /** Approves or rejects a client; what the same actor decided before changes nothing. Throws NOT_FOUND. */
  decideClient(options: DecideClientOptions): Promise<api.ClientView>;
  /** Every service that stores personal data, and how a request reaches it. */
  systems(): Promise<readonly System[]>;
}

export interface DecideClientOptions {
  readonly id: string;
  readonly decision: 'approved' | 'rejected';
  /** Who decides, as audit entries name it: `key:<id>`. */
  readonly actor: string;
  /** (Default: they do not say why) */
  readonly reason?: string | undefined;
}

export interface ApproveGapOptions {
  readonly id: string;
  readonly actor: string;
  readonly reason: string;
  /** Of a data type without a category, and only of one. */
  readonly category?: string | undefined;
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
