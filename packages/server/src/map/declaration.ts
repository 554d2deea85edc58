/** What a team publishes about its service (DESIGN: declarations). Every source yields this one shape. */
export type Declaration = TransmitDeclaration | StoreDeclaration | ClientDeclaration;

interface DeclarationBase {
  readonly team: string;
}

export interface TransmitDeclaration extends DeclarationBase {
  readonly kind: 'transmit';
  readonly service: string;
  readonly toService: string;
  readonly dataType: string;
}

export interface StoreDeclaration extends DeclarationBase {
  readonly kind: 'store';
  readonly service: string;
  readonly dataType: string;
}

/** Who answers for a team's (or one service's) personal data. The address is a proposal until it is approved. */
export interface ClientDeclaration extends DeclarationBase {
  readonly kind: 'client';
  /** `host:port`. */
  readonly address: string;
  readonly protocol: 'grpc' | 'http';
  /** The service that it answers for; undefined: all of the team's. */
  readonly service: string | undefined;
}
