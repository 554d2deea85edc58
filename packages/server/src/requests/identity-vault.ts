import { createHmac } from 'node:crypto';
import type { Identity } from '../catalog/index.ts';
import { type Database, deriveKey, HabeasError, open, type SecretKey, seal } from '../foundation/index.ts';
import type { RequestTables } from './tables.ts';

export interface RequestRef {
  readonly organizationId: string;
  readonly requestId: string;
}

export interface RequestKey {
  readonly ref: RequestRef;
  readonly key: SecretKey;
}

/**
 * Each request has a key of its own, sealed by the master key; identities, found keys, collected rows and the package
 * are sealed by it. Deleting the row of the key is how Habeas forgets all of them at once, copies of the ciphertext that were made without the key included.
 */
export async function storeRequestKeys(
  transaction: Database,
  keys: readonly RequestKey[],
  masterKey: SecretKey,
): Promise<void> {
  await transaction
    .withTables<RequestTables>()
    .insertInto('request_keys')
    .values(
      keys.map(({ ref, key }) => ({
        organization_id: ref.organizationId,
        request_id: ref.requestId,
        sealed_key: seal(masterKey, key, keyContext(ref)),
      })),
    )
    .execute();
}

/** Throws KEY_DESTROYED once the request was forgotten. */
export async function loadRequestKey(
  db: Database,
  ref: RequestRef,
  masterKey: SecretKey,
): Promise<SecretKey> {
  const row = await db
    .withTables<RequestTables>()
    .selectFrom('request_keys')
    .select('sealed_key')
    .where('organization_id', '=', ref.organizationId)
    .where('request_id', '=', ref.requestId)
    .executeTakeFirst();
  if (row === undefined) {
    throw new HabeasError(
      'KEY_DESTROYED',
      `The personal data of request ${ref.requestId} was forgotten: its key was destroyed.`,
    );
  }
  return openRequestKey(ref, row.sealed_key, masterKey);
}

export function openRequestKey(ref: RequestRef, sealed: Uint8Array, masterKey: SecretKey): SecretKey {
  return open(masterKey, sealed, keyContext(ref));
}

export function openIdentity(
  ref: RequestRef,
  key: SecretKey,
  stored: { readonly type: string; readonly sealed: Uint8Array },
): Identity {
  return { type: stored.type, value: open(key, stored.sealed, identityContext(ref, stored.type)).toString() };
}

/** PostgreSQL takes 65,535 parameters a statement. */
const ROWS_PER_STATEMENT = 5_000;

export interface NewIdentity {
  readonly ref: RequestRef;
  /** The request's key. */
  readonly key: SecretKey;
  readonly identity: Identity;
  /** Who told: `request`, or the key of a system. */
  readonly source: string;
}

/** Stores identities, each once. Must be committed before anything is destroyed. */
export async function addIdentities(
  transaction: Database,
  identities: readonly NewIdentity[],
  /** Whether one that is there already comes from the new source from now on. (Default: not) */
  { takesOver = false }: { readonly takesOver?: boolean } = {},
): Promise<void> {
  if (identities.length === 0) return;
  const rows = identities.map(({ ref, key, identity, source }) => ({
    organization_id: ref.organizationId,
    request_id: ref.requestId,
    digest: identityDigest(deriveKey(key, 'identity digest'), identity),
    type: identity.type,
    sealed_value: seal(key, Buffer.from(identity.value), identityContext(ref, identity.type)),
    source,
  }));
  for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
    await transaction
      .withTables<RequestTables>()
      .insertInto('request_identities')
      .values(rows.slice(start, start + ROWS_PER_STATEMENT))
      .onConflict((conflict) =>
        takesOver
          ? conflict
              .columns(['organization_id', 'request_id', 'digest'])
              .doUpdateSet(({ ref }) => ({ source: ref('excluded.source') }))
          : conflict.doNothing(),
      )
      .execute();
  }
}

/** All identities of the request, in the order in which they became known. */
export async function loadIdentities(
  db: Database,
  ref: RequestRef,
  key: SecretKey,
  /** Who told them, such as `request`. (Default: whoever) */
  source?: string,
): Promise<readonly Identity[]> {
  const rows = await db
    .withTables<RequestTables>()
    .selectFrom('request_identities')
    .select(['type', 'sealed_value'])
    .where('organization_id', '=', ref.organizationId)
    .where('request_id', '=', ref.requestId)
    .$if(source !== undefined, (all) => all.where('source', '=', source ?? ''))
    .orderBy('position')
    .execute();
  return rows.map((row) => openIdentity(ref, key, { type: row.type, sealed: row.sealed_value }));
}

/** Keyed, so that a low-entropy value such as an e-mail cannot be guessed from what is stored. */
function identityDigest(digestKey: SecretKey, identity: Identity): Buffer {
  return createHmac('sha256', digestKey)
    .update(`${identity.type}\0${identity.value}`)
    .digest()
    .subarray(0, 16);
}

function keyContext(ref: RequestRef): string {
  return `request key ${ref.organizationId}/${ref.requestId}`;
}

function identityContext(ref: RequestRef, type: string): string {
  return `identity ${ref.organizationId}/${ref.requestId}/${type}`;
}

/** Tells identities apart without telling what they are: keyed by the request's key, so that nobody can guess them. */
export function identityDigests(key: SecretKey, identities: readonly Identity[]): readonly string[] {
  const digestKey = deriveKey(key, 'identity digest');
  return identities.map((identity) => identityDigest(digestKey, identity).toString('base64'));
}

/** Words that may tell more than counts do, such as names of columns. */
export function sealText(ref: RequestRef, key: SecretKey, text: string): string {
  return seal(key, Buffer.from(text), textContext(ref)).toString('base64');
}

export function openText(ref: RequestRef, key: SecretKey, sealed: string): string {
  return open(key, Buffer.from(sealed, 'base64'), textContext(ref)).toString();
}

function textContext(ref: RequestRef): string {
  return `text ${ref.organizationId}/${ref.requestId}`;
}
