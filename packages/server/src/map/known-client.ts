/** A client that was declared at some time. */
export interface KnownClient {
  readonly id: string;
  readonly team: string;
  readonly service: string | undefined;
  readonly address: string;
  readonly protocol: 'grpc' | 'http';
  readonly state: 'proposed' | 'approved' | 'rejected';
  readonly decidedBy: string | null;
  /** Why, if whoever decided said so. */
  readonly reason: string | null;
  readonly firstSeen: Date;
  readonly lastSeen: Date;
  /** No source of the configuration declares it any more. */
  readonly stale: boolean;
}
