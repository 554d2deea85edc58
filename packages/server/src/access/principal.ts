/** Who a call comes from, after sign-in. */
export interface Principal {
  readonly organizationId: string;
  /** As audit entries name it: `key:<id>`. */
  readonly actor: `key:${string}`;
  readonly role: Role;
}

/** What a key may do. One role so far: everything. */
export type Role = 'admin';
