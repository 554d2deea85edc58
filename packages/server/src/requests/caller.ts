/** Who asks, and for which organization; every call carries it. */
export interface Caller {
  readonly organizationId: string;
  /** `key:<id>`, `system`, or `service:<name>`; goes to the audit log. */
  readonly actor: string;
  /** Whose tickets it may see and do; null: of all teams. (Default: of all) */
  readonly teams?: readonly string[] | null;
}
