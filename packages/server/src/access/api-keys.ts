import { randomBytes, timingSafeEqual } from 'node:crypto';
import { base32, type Clock, type Database, HabeasError, newId, sha256 } from '../foundation/index.ts';
import { lockOrganization } from './organization.ts';
import type { Principal, Role } from './principal.ts';
import type { RecordAudit } from './record-audit.ts';
import type { AccessTables } from './tables.ts';

export interface KeyContext {
  readonly db: Database;
  readonly organizationId: string;
  readonly clock: Clock;
  readonly audit: RecordAudit;
}

/** A key that was just made. `key` is stored nowhere: whoever gets this is the only one who can show it. */
export interface NewKey {
  readonly id: string;
  /** `habeas_` and 256 random bits in base 32. */
  readonly key: string;
}

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
    return insertKey(transaction, context, { name: 'first key', role: 'admin', actor: 'system', now });
  });
}

export interface CreateKeyOptions extends KeyContext {
  /** What it is for, in words of the one who makes it. */
  readonly name: string;
  readonly role: Role;
  /** Who makes it, as audit entries name it. */
  readonly actor: string;
}

export async function createKey(options: CreateKeyOptions): Promise<NewKey> {
  return options.db.transaction().execute(async (transaction) => {
    const now = options.clock.now();
    await lockOrganization(transaction, { organizationId: options.organizationId, now });
    return insertKey(transaction, options, { ...options, now });
  });
}

/** From the commit on the key is refused. Revoking again changes nothing. Throws NOT_FOUND. */
export async function revokeKey(
  options: KeyContext & { readonly id: string; readonly actor: string },
): Promise<void> {
  await options.db.transaction().execute(async (transaction) => {
    const now = options.clock.now();
    const tables = transaction.withTables<AccessTables>();
    const row = await tables
      .selectFrom('api_keys')
      .select('revoked_at')
      .where('organization_id', '=', options.organizationId)
      .where('id', '=', options.id)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined) throw new HabeasError('NOT_FOUND', `There is no API key ${options.id}.`);
    if (row.revoked_at !== null) return;
    await tables
      .updateTable('api_keys')
      .set({ revoked_at: now })
      .where('organization_id', '=', options.organizationId)
      .where('id', '=', options.id)
      .execute();
    const entry = { organizationId: options.organizationId, actor: options.actor, subject: options.id };
    await options.audit(transaction, [{ ...entry, action: 'key.revoked' }], now);
  });
}

/**
 * Who presents this key; undefined if it is unknown or revoked. The one query without an organization: the key is what
 * says which organization it is.
 */
export async function authenticate(db: Database, presentedKey: string): Promise<Principal | undefined> {
  const hash = sha256(presentedKey);
  const row = await db
    .withTables<AccessTables>()
    .selectFrom('api_keys')
    .select(['organization_id', 'id', 'hash', 'role'])
    .where('hash', '=', hash)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  // The index compares hashes, which tells an attacker nothing about the key; the last word is in constant time all the same.
  if (row === undefined || !timingSafeEqual(row.hash, hash)) return undefined;
  return { organizationId: row.organization_id, actor: `key:${row.id}`, role: row.role };
}

async function insertKey(
  transaction: Database,
  context: KeyContext,
  options: { readonly name: string; readonly role: Role; readonly actor: string; readonly now: Date },
): Promise<NewKey> {
  const made: NewKey = { id: newId('key', options.now), key: `habeas_${base32(randomBytes(32))}` };
  await transaction
    .withTables<AccessTables>()
    .insertInto('api_keys')
    .values({
      organization_id: context.organizationId,
      id: made.id,
      hash: sha256(made.key),
      role: options.role,
      name: options.name,
      created_at: options.now,
      created_by: options.actor,
      revoked_at: null,
    })
    .execute();
  const entry = { organizationId: context.organizationId, actor: options.actor, subject: made.id };
  await context.audit(
    transaction,
    [{ ...entry, action: 'key.created', details: { role: options.role } }],
    options.now,
  );
  return made;
}
