import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  exportPKCS8,
  generateKeyPair,
  importPKCS8,
} from 'jose';
import { type Clock, type Database, HabeasError, open, type SecretKey, seal } from '../foundation/index.ts';
import { lockOrganization } from './organization.ts';
import type { AccessTables } from './tables.ts';

/** What an organization signs with: Ed25519 (RFC 8032). */
export interface SigningKey {
  readonly organizationId: string;
  readonly keyId: string;
  /** base64url of the public point, `x` of {@link PublicJwk}. */
  readonly publicKey: string;
  readonly privateKey: CryptoKey;
}

/** An Ed25519 public key as JWK (RFC 8037). */
export interface PublicJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly alg: 'EdDSA';
  readonly use: 'sig';
}

export interface SigningKeyContext {
  readonly db: Database;
  readonly organizationId: string;
  readonly clock: Clock;
  readonly masterKey: SecretKey;
}

/** The organization's newest key, made at its first use. Servers that need it at the same time get the same one. */
export async function loadSigningKey(context: SigningKeyContext): Promise<SigningKey> {
  const row = (await newestRow(context.db, context.organizationId)) ?? (await makeKey(context));
  const pkcs8 = open(
    context.masterKey,
    row.sealed_private_key,
    sealContext(context.organizationId, row.key_id),
  );
  return {
    organizationId: context.organizationId,
    keyId: row.key_id,
    publicKey: row.public_key,
    privateKey: await importPKCS8(pkcs8.toString('utf8'), 'EdDSA'),
  };
}

/** The public halves of all keys that the organization ever signed with, newest first. */
export async function listPublicKeys(db: Database, organizationId: string): Promise<readonly PublicJwk[]> {
  const rows = await db
    .withTables<AccessTables>()
    .selectFrom('signing_keys')
    .select(['key_id', 'public_key'])
    .where('organization_id', '=', organizationId)
    .orderBy('created_at', 'desc')
    .orderBy('key_id')
    .execute();
  return rows.map((row) => publicJwk({ keyId: row.key_id, publicKey: row.public_key }));
}

export function publicJwk(key: Pick<SigningKey, 'keyId' | 'publicKey'>): PublicJwk {
  return { kty: 'OKP', crv: 'Ed25519', x: key.publicKey, kid: key.keyId, alg: 'EdDSA', use: 'sig' };
}

type SigningKeyRow = Pick<AccessTables['signing_keys'], 'key_id' | 'public_key' | 'sealed_private_key'>;

async function newestRow(db: Database, organizationId: string): Promise<SigningKeyRow | undefined> {
  return db
    .withTables<AccessTables>()
    .selectFrom('signing_keys')
    .select(['key_id', 'public_key', 'sealed_private_key'])
    .where('organization_id', '=', organizationId)
    .orderBy('created_at', 'desc')
    .orderBy('key_id')
    .limit(1)
    .executeTakeFirst();
}

async function makeKey(context: SigningKeyContext): Promise<SigningKeyRow> {
  const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const jwk = await exportJWK(pair.publicKey);
  const pkcs8 = Buffer.from(await exportPKCS8(pair.privateKey));
  if (jwk.x === undefined) throw new HabeasError('INTERNAL', 'A new signing key has no public point.');
  const row: SigningKeyRow = {
    key_id: await calculateJwkThumbprint(jwk),
    public_key: jwk.x,
    sealed_private_key: Buffer.alloc(0),
  };
  const sealed = seal(context.masterKey, pkcs8, sealContext(context.organizationId, row.key_id));
  return context.db.transaction().execute(async (transaction) => {
    const now = context.clock.now();
    await lockOrganization(transaction, { organizationId: context.organizationId, now });
    const first = await newestRow(transaction, context.organizationId);
    if (first !== undefined) return first;
    const made = { ...row, sealed_private_key: sealed };
    await transaction
      .withTables<AccessTables>()
      .insertInto('signing_keys')
      .values({ ...made, organization_id: context.organizationId, created_at: now })
      .execute();
    return made;
  });
}

function sealContext(organizationId: string, keyId: string): string {
  return `signing key ${organizationId}/${keyId}`;
}
