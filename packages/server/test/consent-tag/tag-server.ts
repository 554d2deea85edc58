import { SignJWT } from 'jose';
import { auditMigrations } from '../../src/audit/index.ts';
import {
  consentMigrations,
  createConsent,
  createConsentTag,
  parsePurposeFile,
} from '../../src/consent/index.ts';
import { type Database, fixedClock, newSecretKey } from '../../src/foundation/index.ts';
import { createHttpServer } from '../../src/http/index.ts';
import { createTestDatabase } from '../database.ts';
import { inMemoryApplication, TEST_ORGANIZATION } from '../in-memory-application.ts';

const PURPOSES = `
purposes:
  - { code: shop, name: { en: Shop }, legal_basis: contract }
  - { code: analytics, name: { en: Analytics }, legal_basis: consent, ask_again: 180d }
  - { code: advertising, name: { en: Advertising }, legal_basis: consent, validity: 365d }
  - { code: sale, name: { en: Sale }, legal_basis: opt_out }
`;

/** Where the tag and the SDK call, without a browser around them. */
export interface TagServer extends AsyncDisposable {
  readonly url: string;
  readonly db: Database;
  /** A token of the organization's back end: who is signed in. */
  tokenOf(user: string): Promise<string>;
}

/** `now`: ISO 8601; its clock stands still there. `morePurposes`: lines of YAML. */
export async function openTagServer(now: string, morePurposes = ''): Promise<TagServer> {
  const file = parsePurposeFile(`${PURPOSES}${morePurposes}`, 'purposes.yaml');
  const room = { organizationId: TEST_ORGANIZATION, masterKey: newSecretKey(), clock: fixedClock(now) };
  const secret = Buffer.alloc(32, 3);
  const database = await createTestDatabase({ ...auditMigrations, ...consentMigrations });
  const { db } = database;
  const consent = createConsent({ ...room, db, file });
  const consentTag = createConsentTag({
    ...room,
    consent,
    file,
    origins: [],
    identitySecrets: [secret.toString('base64')],
    merge: true,
  });
  const app = await createHttpServer(
    { ...inMemoryApplication({ db }), consent, consentTag },
    { rateLimits: { perKey: 1_000, perAddress: 1_000_000 } },
  );
  const seconds = new Date(now).getTime() / 1_000;
  return {
    url: await app.listen({ port: 0, host: '127.0.0.1' }),
    db,
    tokenOf: (user) =>
      new SignJWT({ identity: { type: 'user_id', value: user } })
        .setProtectedHeader({ alg: 'HS256' })
        .setAudience(`consent:${TEST_ORGANIZATION}`)
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + 3_600)
        .sign(secret),
    async [Symbol.asyncDispose]() {
      await app.close();
      await database.close();
    },
  };
}
