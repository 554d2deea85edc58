import type { api } from '@habeas/contract';

/** Who a call comes from, after sign-in. */
export interface Principal {
  readonly organizationId: string;
  /** As audit entries name it. */
  readonly actor: `key:${string}` | `member:${string}`;
  /** What it may do. */
  readonly scopes: ReadonlySet<api.Scope>;
  /** Whose tickets it may see and do; null: of all teams. */
  readonly teams: readonly string[] | null;
  /** In which session they act; none: the call has the key itself. */
  readonly session?: {
    readonly id: string;
    readonly expiresAt: Date;
    /** When it was shown last who sits there. */
    readonly confirmedAt: Date;
    /** Of the key, or of the person. */
    readonly name: string | null;
    /** Null for a key, which has scopes of its own. */
    readonly role: api.Role | null;
  };
}

/** Somebody who signed in, for as long as their session goes on. */
export interface SignedIn extends Principal {
  readonly session: NonNullable<Principal['session']>;
}
