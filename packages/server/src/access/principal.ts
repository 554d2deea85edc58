import type { api } from '@habeas/contract';

/** Who a call comes from, after sign-in. */
export interface Principal {
  readonly organizationId: string;
  /** As audit entries name it: `key:<id>`. */
  readonly actor: `key:${string}`;
  /** What it may do. */
  readonly scopes: ReadonlySet<api.Scope>;
  /** Whose tickets it may see and do; null: of all teams. */
  readonly teams: readonly string[] | null;
  /** In which session they act; none: the call has the key itself. */
  readonly session?: {
    readonly id: string;
    readonly expiresAt: Date /** When the key was shown last. */;
    readonly confirmedAt: Date;
  };
}
