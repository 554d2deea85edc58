import type { Generated } from 'kysely';

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
    first_seen: Date;
    /** null: still there, seen at each complete reading of the source. */
    last_seen: Date | null;
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
    first_seen: Date;
  };
};

/** Something of a page that was refused. */
export interface SourceWarning {
  /** broken: a line, or a part, that cannot be read; rejected: a label value that must not be stored. */
  readonly kind: 'broken' | 'rejected';
  readonly service: string | null;
  readonly team: string | null;
  readonly message: string;
}
