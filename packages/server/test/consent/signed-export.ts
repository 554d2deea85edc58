import { createHash, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { CompactSign } from 'jose';
import { canonicalJson } from '../../src/audit/index.ts';
import { parquetOfTexts } from '../../src/consent/exports/parquet-file.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');

/** Of the organization `acme`, as `GET /api/v1/public-keys` tells it. */
export const PUBLIC_KEY = String(publicKey.export({ format: 'jwk' }).x);

export interface SignedExport {
  readonly file: string;
  readonly purpose: string;
  readonly identityType: string;
  readonly lists: 'granted' | 'denied';
  readonly identities: readonly string[];
  readonly expiresAt: Date;
}

/** A file as `habeas consent export` writes it, with its manifest beside it. */
export async function writeSignedExport({
  file,
  purpose,
  identityType,
  lists,
  identities,
  expiresAt,
}: SignedExport): Promise<void> {
  async function* batches() {
    yield identities;
  }
  const bytes = Buffer.concat(await Array.fromAsync(parquetOfTexts('identity', batches())));
  writeFileSync(file, bytes);
  const now = new Date().toISOString();
  const manifest = {
    version: 1,
    organization: 'acme',
    purpose,
    identity_type: identityType,
    lists,
    format: 'parquet',
    file: { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
    as_of: now,
    issued_at: now,
    expires_at: expiresAt.toISOString(),
  };
  const payload = Buffer.from(canonicalJson(manifest));
  const compact = await new CompactSign(payload).setProtectedHeader({ alg: 'EdDSA' }).sign(privateKey);
  const [header, , signature] = compact.split('.');
  writeFileSync(`${file}.manifest.json`, JSON.stringify({ manifest, signature: `${header}..${signature}` }));
}
