import type { Database } from '../foundation/index.ts';
import { scopesOf } from './list-keys.ts';
import { scopesOfRole } from './members.ts';
import type { SignedIn } from './principal.ts';
import type { AccessTables } from './tables.ts';

/** Sessions that go on, of keys that are valid and of members who were not removed. */
export function findSession(db: Database, organizationId: string, now: Date) {
  return db
    .withTables<AccessTables>()
    .selectFrom('sessions as s')
    .leftJoin('api_keys as k', (join) =>
      join
        .onRef('k.organization_id', '=', 's.organization_id')
        .onRef('k.id', '=', 's.key_id')
        .on('k.revoked_at', 'is', null)
        .on((on) => on.or([on('k.expires_at', 'is', null), on('k.expires_at', '>', now)])),
    )
    .leftJoin('members as m', (join) =>
      join
        .onRef('m.organization_id', '=', 's.organization_id')
        .onRef('m.id', '=', 's.member_id')
        .on('m.removed_at', 'is', null),
    )
    .select(['s.id', 's.token_hash', 's.used_at', 's.confirmed_at', 's.expires_at'])
    .select(['k.id as key_id', 'k.name as key_name', 'k.scopes', 'k.teams as key_teams'])
    .select(['m.id as member_id', 'm.name as member_name', 'm.email', 'm.role', 'm.teams as member_teams'])
    .where('s.organization_id', '=', organizationId)
    .where('s.expires_at', '>', now)
    .where((where) => where.or([where('k.id', 'is not', null), where('m.id', 'is not', null)]));
}

export type SessionRow = NonNullable<Awaited<ReturnType<ReturnType<typeof findSession>['executeTakeFirst']>>>;

export function signedInOf(organizationId: string, row: SessionRow): SignedIn {
  const { id, expires_at: expiresAt, confirmed_at: confirmedAt, role } = row;
  const session = { id, expiresAt, confirmedAt, role };
  return role === null
    ? {
        organizationId,
        actor: `key:${row.key_id}`,
        scopes: new Set(scopesOf(row)),
        teams: row.key_teams,
        session: { ...session, name: row.key_name },
      }
    : {
        organizationId,
        actor: `member:${row.member_id}`,
        scopes: new Set(scopesOfRole(role)),
        teams: row.member_teams,
        session: { ...session, name: row.member_name ?? row.email },
      };
}
