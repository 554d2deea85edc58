import { randomBytes } from 'node:crypto';
import { api } from '@habeas/contract';
import { base32, type Clock, type Database, newId, sha256 } from '../foundation/index.ts';
import { keyView } from './list-keys.ts';
import { lockOrganization } from './organization.ts';
import type { RecordAudit } from './record-audit.ts';
import type { AccessTables } from './tables.ts';

export interface KeyContext {
  readonly db: Database;
  readonly organizationId: string;
  readonly clock: Clock;
  readonly audit: RecordAudit;
}

/**
 * A key that was just made: `habeas_` and 256 random bits in base 32. It is stored nowhere: whoever gets this is the only one who
 * can show it.
 */
export type NewKey = api.NewApiKeyView;

/**
 * At the first start makes the admin key that all else is set up with; undefined if the organization has, or had, a key.
 * Of servers that start together exactly one gets it.
 */
export async function ensureFirstKey(context: KeyContext): Promise<NewKey | undefined> {
  return context.db.transaction().execute(async (transaction) => {
    const now = context.clock.now();
    await lockOrganization(transaction, { organizationId: context.organizationId, now });
    const existing = await transaction
      .withTables<AccessTables>()
      .selectFrom('api_keys')
      .select('id')
      .where('organization_id', '=', context.organizationId)
      .limit(1)
      .executeTakeFirst();
    if (existing !== undefined) return undefined;
    return insertKey(transaction, context, { name: 'first key', actor: 'system', now });
  });
}

export interface CreateKeyOptions extends KeyContext {
  /** What it is for, in words of the one who makes it. */
  readonly name: string;
  /** What it may do. (Default: everything) */
  readonly scopes?: readonly api.Scope[];
  /** Whose tickets it may see and do; null: of all teams. (Default: null) */
  readonly teams?: readonly string[] | null;
  /** Who makes it, as audit entries name it. */
  readonly actor: string;
  /** From then on it is refused. (Default: never) */
  readonly expiresAt?: Date | null;
}

export async function createKey(options: CreateKeyOptions): Promise<NewKey> {
  return options.db.transaction().execute(async (transaction) => {
    const now = options.clock.now();
    await lockOrganization(transaction, { organizationId: options.organizationId, now });
    return insertKey(transaction, options, { ...options, now });
  });
}

async function insertKey(
  transaction: Database,
  context: KeyContext,
  options: Pick<CreateKeyOptions, 'name' | 'scopes' | 'teams' | 'actor' | 'expiresAt'> & {
    readonly now: Date;
  },
): Promise<NewKey> {
  const { now, actor, name } = options;
  const scopes = new Set(options.scopes ?? api.ALL_SCOPES);
  const everything = api.ALL_SCOPES.every((scope) => scopes.has(scope));
  const key = `habeas_${base32(randomBytes(32))}`;
  const row = {
    id: newId('key', now),
    scopes: everything ? null : [...scopes],
    teams: options.teams?.slice() ?? null,
    name,
    created_at: now,
    created_by: actor,
    expires_at: options.expiresAt ?? null,
    revoked_at: null,
  };
  await transaction
    .withTables<AccessTables>()
    .insertInto('api_keys')
    .values({ ...row, organization_id: context.organizationId, hash: sha256(key) })
    .execute();
  const view = keyView(row);
  const expires = view.expires_at === null ? {} : { expires_at: view.expires_at };
  const teams = row.teams === null ? {} : { teams: row.teams.join(', ') };
  const entry = { organizationId: context.organizationId, actor, subject: row.id, action: 'key.created' };
  await context.audit(
    transaction,
    [{ ...entry, details: { scopes: everything ? 'all' : [...scopes].join(' '), ...teams, ...expires } }],
    now,
  );
  return { ...view, key };
}
