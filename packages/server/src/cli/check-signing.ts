import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { createSigner, TOKEN_ISSUER, TOKEN_SECONDS } from '../access/index.ts';
import type { SignToken } from '../connectors/index.ts';
import {
  type Clock,
  type Config,
  HabeasError,
  loadMasterKey,
  openDatabase,
  systemClock,
} from '../foundation/index.ts';
import type { CliContext } from './context.ts';
import { dataDirOf } from './local-server.ts';
import { openPostgres } from './postgres.ts';

/** Signs the tokens of a conformance check. */
export interface CheckSigning {
  readonly signToken: SignToken;
  /** Tokens that expired an hour ago. */
  readonly signExpiredToken: SignToken;
  /** What the service has to trust: Ed25519 in base64url. */
  readonly publicKey: string;
  close(): Promise<void>;
}

const HOUR_MILLISECONDS = 3_600_000;

/**
 * A key of its own for checks, kept in a file that only its owner may read, so that a team can check its service without
 * a server; made at the first use. Throws CONFIG_INVALID if the file holds something else.
 */
export async function fileSigning(file: string, clock: Clock = systemClock): Promise<CheckSigning> {
  const jwk = existsSync(file) ? readKey(file) : await makeKey(file);
  const key = await importJWK(jwk, 'EdDSA');
  const signAt =
    (offset: number): SignToken =>
    ({ audience, requestId, method }) => {
      const issuedAt = Math.floor((clock.now().getTime() + offset) / 1_000);
      return new SignJWT({ method, ...(requestId === undefined ? {} : { request_id: requestId }) })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT' })
        .setIssuer(TOKEN_ISSUER)
        .setAudience(audience)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + TOKEN_SECONDS)
        .setJti(crypto.randomUUID())
        .sign(key);
    };
  return {
    signToken: signAt(0),
    signExpiredToken: signAt(-HOUR_MILLISECONDS),
    publicKey: jwk.x,
    close: async () => undefined,
  };
}

interface PrivateJwk extends JWK {
  readonly x: string;
  readonly d: string;
}

async function makeKey(file: string): Promise<PrivateJwk> {
  const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const jwk = await exportJWK(pair.privateKey);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(jwk)}\n`, { mode: 0o600, flag: 'wx' });
  chmodSync(file, 0o600);
  return readKey(file);
}

function readKey(file: string): PrivateJwk {
  try {
    const jwk: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (isPrivateKey(jwk)) return jwk;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw new HabeasError(
    'CONFIG_INVALID',
    `${file} is not a private Ed25519 key (JWK). Remove it, and a new one is made.`,
    {
      place: { file },
    },
  );
}

function isPrivateKey(jwk: unknown): jwk is PrivateJwk {
  return (
    typeof jwk === 'object' &&
    jwk !== null &&
    'crv' in jwk &&
    jwk.crv === 'Ed25519' &&
    'x' in jwk &&
    typeof jwk.x === 'string' &&
    'd' in jwk &&
    typeof jwk.d === 'string'
  );
}

/** The server's own key, for services that trust it already. Needs the database and master key of the configuration. */
export async function serverSigning(context: CliContext, config: Config): Promise<CheckSigning> {
  const { environment } = context;
  const dataDir = dataDirOf(config);
  const postgres = await openPostgres({ dataDir, environment, onProgress: () => undefined });
  const opened = openDatabase({ url: postgres.url(), connections: 2 });
  const close = async () => {
    await opened.close();
    await postgres.stop();
  };
  try {
    const base = {
      db: opened.db,
      organizationId: config.organization,
      masterKey: loadMasterKey({ dataDir, environment }),
    };
    const now = createSigner({ ...base, clock: systemClock });
    const before = createSigner({
      ...base,
      clock: { now: () => new Date(systemClock.now().getTime() - HOUR_MILLISECONDS) },
    });
    const [publicKey = ''] = await now.publicKeys();
    return {
      signToken: (claims) => now.signServiceToken(claims),
      signExpiredToken: (claims) => before.signServiceToken(claims),
      publicKey,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
