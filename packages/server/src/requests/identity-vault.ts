import { createHmac } from 'node:crypto';
import type { Identity } from '../catalog/index.ts';
import {
  type Database,
  deriveKey,
  HabeasError,
  newSecretKey,
  open,
  type SecretKey,
  seal,
} from '../foundation/index.ts';
import type { RequestTables } from './tables.ts';

export interface RequestRef {
  readonly organizationId: string;
  readonly requestId: string;
}

/**
 * Each request has a key of its own, sealed by the master key; identities, found keys, collected rows and the package
 * are sealed by it. Deleting the row of the key is how Habeas forgets all of them at once, backups of the ciphertext included.
 */
export async function createRequestKey(
  transaction: Database,
  ref: RequestRef,
  masterKey: SecretKey,
): Promise<SecretKey> {
  const key = newSecretKey();
  await transaction
    .withTables<RequestTables>()
    .insertInto('request_keys')
    .values({
      organization_id: ref.organizationId,
      request_id: ref.requestId,
      sealed_key: seal(masterKey, key, keyContext(ref)),
    })
    .execute();
  return key;
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
  return open(masterKey, row.sealed_key, keyContext(ref));
}

/** Stores identities, each once, and says how many were new. Must be committed before anything is destroyed. */
export async function addIdentities(
  transaction: Database,
  ref: RequestRef,
  options: { readonly key: SecretKey; readonly identities: readonly Identity[]; readonly source: string },
): Promise<number> {
  if (options.identities.length === 0) return 0;
  const digestKey = deriveKey(options.key, 'identity digest');
  const rows = options.identities.map((identity) => ({
    organization_id: ref.organizationId,
    request_id: ref.requestId,
    digest: identityDigest(digestKey, identity),
    type: identity.type,
    sealed_value: seal(options.key, Buffer.from(identity.value), identityContext(ref, identity.type)),
    source: options.source,
  }));
  const inserted = await transaction
    .withTables<RequestTables>()
    .insertInto('request_identities')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .returning('digest')
    .execute();
  return inserted.length;
}

/** All identities of the request, in the order in which they became known. */
export async function loadIdentities(
  db: Database,
  ref: RequestRef,
  key: SecretKey,
): Promise<readonly Identity[]> {
  const rows = await db
    .withTables<RequestTables>()
    .selectFrom('request_identities')
    .select(['type', 'sealed_value'])
    .where('organization_id', '=', ref.organizationId)
    .where('request_id', '=', ref.requestId)
    .orderBy('position')
    .execute();
  return rows.map((row) => ({
    type: row.type,
    value: open(key, row.sealed_value, identityContext(ref, row.type)).toString(),
  }));
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
