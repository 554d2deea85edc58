/** A service that stores personal data, as the planner needs it. */
export interface System {
  /**
   * Unique among systems: the service's name or, where two teams claim one name, `service@team`. Comes from a label that
   * anybody can publish: never a file name or a path without encoding.
   */
  readonly key: string;
  readonly service: string;
  readonly team: string;
  /** What it stores, sorted; at least one. */
  readonly dataTypes: readonly string[];
  readonly answeredBy: Answerer;
}

/** How a request reaches a service. */
export type Answerer =
  | { readonly kind: 'client'; readonly client: ApprovedClient }
  /** A connection of the configuration acts on it; nothing else is needed. */
  | { readonly kind: 'connection' }
  /** A person of the team has to act. */
  | { readonly kind: 'ticket'; readonly reason: 'no-client' | 'client-not-approved' };

/** An address that somebody, or the allow-list, approved. Nothing personal is sent to any other. */
export interface ApprovedClient {
  readonly id: string;
  readonly team: string;
  /** `host:port`. */
  readonly address: string;
  readonly protocol: 'grpc' | 'http';
  /** The service that it answers for; undefined: all of the team's. */
  readonly service: string | undefined;
  /** No source declares it any more. It stays usable until a person rejects it. */
  readonly stale: boolean;
}
