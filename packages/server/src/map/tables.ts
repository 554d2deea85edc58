import type { api } from '@habeas/contract';
import type { Generated } from 'kysely';
import type { SourceKind } from './map-source.ts';
import type { Alert } from './watch-alerts.ts';

export type MapTables = {
  map_sources: {
    organization_id: string;
    source: string;
    state: 'new' | 'ok' | 'partial' | 'failing';
    /** When the last attempt began. An attempt that began earlier changes nothing any more. */
    attempted_at: Date | null;
    /** When the last complete reading began: until then everything open was seen. The heartbeat. */
    complete_at: Date | null;
    error_code: string | null;
    error_message: string | null;
    /** JSON: {@link SourceWarning}[]. */
    warnings: string;
    kind: Generated<SourceKind>;
    /** Another one whenever an interval of the source changes, whoever changes it: a trigger counts. */
    version: Generated<number>;
    /** How many edges ended when some of its ended last, and when that was noticed. */
    lost: Generated<number>;
    lost_at: Date | null;
  };
  map_declarations: {
    organization_id: string;
    source: string;
    /** {@link declarationKey}. */
    declaration: string;
    kind: 'transmit' | 'store' | 'client';
    team: string;
    service: string | null;
    to_service: string | null;
    data_type: string | null;
    address: string | null;
    protocol: 'grpc' | 'http' | null;
    purpose: string | null;
    subject: string | null;
    retention: string | null;
    region: string | null;
    first_seen: Date;
    /** null: still there, seen at each complete reading of the source. */
    last_seen: Date | null;
    /** Stands for the source and the declaration; a trigger gives it. */
    number: Generated<number>;
  };
  map_clients: {
    organization_id: string;
    id: string;
    team: string;
    /** '' for a client that answers for all services of its team. */
    service: string;
    address: string;
    protocol: 'grpc' | 'http';
    state: Generated<'proposed' | 'approved' | 'rejected'>;
    decided_by: string | null;
    decided_at: Date | null;
    /** Why, if whoever decided said so. */
    reason: string | null;
    first_seen: Date;
  };
  map_gap_decisions: {
    organization_id: string;
    /** {@link gapId}. */
    id: string;
    kind: api.GapView['kind'];
    service: string | null;
    team: string | null;
    data_type: string | null;
    decision: 'approved' | 'rejected';
    /** Of an approved data type without a category: the one that it has since then. */
    category: string | null;
    reason: string;
    decided_by: string;
    decided_at: Date;
  };
  /** Times at which the map lost more edges between two polls than is usual. */
  map_losses: {
    organization_id: string;
    at: Date;
    /** The poll before. */
    before: Date;
    lost: number;
    /** How many there were before. */
    edges: number;
    /** JSON: names of the sources that ended them. */
    sources: string;
  };
  /** What was worth telling to a team, so that each thing is told once. */
  map_alerts: {
    organization_id: string;
    kind: Alert['kind'];
    subject: string;
    /** JSON: {@link AlertData}. */
    data: string;
    first_seen: Date;
    /** null: it is still there. */
    gone_at: Date | null;
    /** null: noticed, and not told yet. */
    told_at: Date | null;
  };
};
