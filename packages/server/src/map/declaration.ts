/** What a team publishes about its service (DESIGN: declarations). Every source yields this one shape. */
export type Declaration = TransmitDeclaration | StoreDeclaration | ClientDeclaration;

interface DeclarationBase {
  readonly team: string;
}

/** What a team may add about the data: its own words, as short as a label. Another word is another declaration. */
export interface DeclarationDetails {
  /** What the data is used for: `marketing`. */
  readonly purpose?: string | undefined;
  /** Whose data it is: `customer`, `employee`. */
  readonly subject?: string | undefined;
  /** How long it is kept: `30d`. */
  readonly retention?: string | undefined;
  /** Where it is kept, or where it goes to: `eu`. */
  readonly region?: string | undefined;
}

export interface TransmitDeclaration extends DeclarationBase, DeclarationDetails {
  readonly kind: 'transmit';
  readonly service: string;
  readonly toService: string;
  readonly dataType: string;
}

export interface StoreDeclaration extends DeclarationBase, DeclarationDetails {
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

/** The names of {@link DeclarationDetails}, which are also the names of their labels. */
export const DETAILS = ['purpose', 'subject', 'retention', 'region'] as const;
