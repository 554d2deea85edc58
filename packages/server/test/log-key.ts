import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { type AuditLog, canonicalJson, createAuditLog, type SignLog } from '../src/audit/index.ts';
import {
  type Clock,
  createLogger,
  type Database,
  type Logger,
  systemClock,
} from '../src/foundation/index.ts';

export interface LogKey {
  readonly sign: SignLog;
  /** Signs a receipt: a detached JWS, and the key as JWK. */
  readonly signReceipt: (
    organizationId: string,
    payload: Uint8Array,
  ) => Promise<{ readonly signature: string; readonly publicKey: Readonly<Record<string, unknown>> }>;
  readonly publicKey: Buffer;
}

/** A new Ed25519 key that signs as an organization, without a database. */
export function newLogKey(): LogKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  const bytes = Buffer.from(x, 'base64url');
  const base64url = (text: string | Uint8Array) => Buffer.from(text).toString('base64url');
  const thumbprint = createHash('sha256').update(canonicalJson({ crv: 'Ed25519', kty: 'OKP', x }));
  const kid = thumbprint.digest('base64url');
  return {
    publicKey: bytes,
    sign: async (message) => ({ signature: sign(null, message, privateKey), publicKey: bytes }),
    async signReceipt(_organizationId, payload) {
      const header = base64url(JSON.stringify({ alg: 'EdDSA', kid }));
      const signature = sign(null, Buffer.from(`${header}.${base64url(payload)}`), privateKey);
      return {
        signature: `${header}..${base64url(signature)}`,
        publicKey: { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' },
      };
    },
  };
}

/** The audit log of an organization in a test's database. */
export function testAuditLog(options: {
  readonly db: Database;
  /** (Default: a new one) */
  readonly key?: LogKey;
  /** (Default: acme) */
  readonly organizationId?: string;
  /** (Default: acme.example/audit) */
  readonly origin?: string;
  readonly published?: () => Promise<readonly string[]>;
  /** (Default: the system's) */
  readonly clock?: Clock;
  /** (Default: silent) */
  readonly logger?: Logger;
  readonly warnAfterMilliseconds?: number;
}): AuditLog {
  const { db, key = newLogKey(), organizationId = 'acme', origin = 'acme.example/audit' } = options;
  return createAuditLog({
    db,
    organizationId,
    origin,
    clock: options.clock ?? systemClock,
    logger: options.logger ?? createLogger({ level: 'silent' }),
    warnAfterMilliseconds: options.warnAfterMilliseconds,
    sign: key.sign,
    publicKeys: async () => [key.publicKey],
    published: options.published,
    everyMilliseconds: 10,
  });
}
