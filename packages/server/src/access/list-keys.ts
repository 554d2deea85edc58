import { api } from '@habeas/contract';
import type { Database } from '../foundation/index.ts';
import type { AccessTables } from './tables.ts';

/** All keys that the organization has or had, newest first; revoked and expired ones stay, because audit entries name them. */
export async function listKeys(db: Database, organizationId: string): Promise<readonly api.ApiKeyView[]> {
  const rows = await db
    .withTables<AccessTables>()
    .selectFrom('api_keys')
    .select(KEY_COLUMNS)
    .where('organization_id', '=', organizationId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .execute();
  return rows.map(keyView);
}

export const KEY_COLUMNS = [
  'id',
  'name',
  'scopes',
  'teams',
  'created_at',
  'created_by',
  'expires_at',
  'revoked_at',
] as const;

/** What a key may do; a scope that a newer server stored is none here. */
export function scopesOf({ scopes }: Pick<AccessTables['api_keys'], 'scopes'>): api.Scope[] {
  return api.ALL_SCOPES.filter((scope) => scopes === null || scopes.includes(scope));
}

/** A row as everybody may see it: without the hash. */
export function keyView(row: Pick<AccessTables['api_keys'], (typeof KEY_COLUMNS)[number]>): api.ApiKeyView {
  return {
    id: row.id,
    name: row.name,
    scopes: scopesOf(row),
    teams: row.teams,
    created_at: row.created_at.toISOString(),
    created_by: row.created_by,
    expires_at: row.expires_at?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
  };
}
