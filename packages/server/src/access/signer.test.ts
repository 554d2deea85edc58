import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { createTestDatabase } from '../../test/database.ts';
import { fixedClock, newSecretKey, openDatabase } from '../foundation/index.ts';
import { verifyDetached } from './detached-signature.ts';
import { accessMigrations } from './migrations.ts';
import { createSigner, TOKEN_ISSUER } from './signer.ts';
import type { AccessTables } from './tables.ts';

const clock = fixedClock('2026-11-21T08:00:00Z');
const organizationId = 'acme';

/** What a service does with the key that its team configured. */
async function verifyAsService(token: string, publicKey: string, audience: string, at: Date) {
  const key = await importJWK({ kty: 'OKP', crv: 'Ed25519', x: publicKey }, 'EdDSA');
  return jwtVerify(token, key, { issuer: TOKEN_ISSUER, audience, algorithms: ['EdDSA'], currentDate: at });
}

describe('a service token', () => {
  it('is good for its service, for at most five minutes, and once', async () => {
    await using database = await createTestDatabase(accessMigrations);
    const signer = createSigner({ db: database.db, organizationId, clock, masterKey: newSecretKey() });
    const token = await signer.signServiceToken({ audience: 'accounts', requestId: 'req_1', method: 'Get' });
    const [publicKey = ''] = await signer.publicKeys();
    const { payload } = await verifyAsService(token, publicKey, 'accounts', clock.now());
    expect(payload).toMatchObject({ request_id: 'req_1', method: 'Get', organization: 'acme' });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(300);
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeGreaterThan(0);

    const later = new Date(clock.now().getTime() + 301_000);
    await expect(verifyAsService(token, publicKey, 'accounts', later)).rejects.toThrow('exp');
    await expect(verifyAsService(token, publicKey, 'mailer', clock.now())).rejects.toThrow('aud');
    const again = await signer.signServiceToken({ audience: 'accounts', requestId: 'req_1', method: 'Get' });
    const second = await verifyAsService(again, publicKey, 'accounts', clock.now());
    expect(second.payload.jti).not.toBe(payload.jti);
  });

  it('is not good under the key of another organization', async () => {
    await using database = await createTestDatabase(accessMigrations);
    const masterKey = newSecretKey();
    const acme = createSigner({ db: database.db, organizationId: 'acme', clock, masterKey });
    const other = createSigner({ db: database.db, organizationId: 'other', clock, masterKey });
    const token = await acme.signServiceToken({ audience: 'accounts' });
    const [foreign = ''] = await other.publicKeys();
    await expect(verifyAsService(token, foreign, 'accounts', clock.now())).rejects.toThrow('signature');
  });
});

describe('the signing key', () => {
  it('is one for all servers that need it at the same time, and after a restart', async () => {
    await using database = await createTestDatabase(accessMigrations);
    const masterKey = newSecretKey();
    const servers = Array.from({ length: 4 }, () => openDatabase({ url: database.url, connections: 2 }));
    try {
      const keys = await Promise.all(
        servers.map(async ({ db }) => {
          const signer = createSigner({ db, organizationId, clock, masterKey });
          const token = await signer.signServiceToken({ audience: 'accounts' });
          return decodeProtectedHeader(token).kid;
        }),
      );
      expect(new Set(keys).size).toBe(1);
      const restarted = createSigner({ db: database.db, organizationId, clock, masterKey });
      expect((await restarted.publicJwk()).kid).toBe(keys[0]);
      expect(await restarted.publicKeys()).toHaveLength(1);
    } finally {
      await Promise.all(servers.map((server) => server.close()));
    }
  });

  it('lies sealed in the database: another master key, or another organization, cannot open it', async () => {
    await using database = await createTestDatabase(accessMigrations);
    const masterKey = newSecretKey();
    await createSigner({ db: database.db, organizationId, clock, masterKey }).publicKeys();
    const stranger = createSigner({ db: database.db, organizationId, clock, masterKey: newSecretKey() });
    await expect(stranger.signServiceToken({ audience: 'accounts' })).rejects.toMatchObject({
      code: 'MASTER_KEY_INVALID',
    });
    const tables = database.db.withTables<AccessTables>();
    const row = await tables.selectFrom('signing_keys').selectAll().executeTakeFirstOrThrow();
    expect(Buffer.from(row.sealed_private_key).includes('PRIVATE KEY')).toBe(false);
    await tables
      .insertInto('organizations')
      .values({ organization_id: 'other', created_at: clock.now() })
      .execute();
    await tables
      .insertInto('signing_keys')
      .values({ ...row, organization_id: 'other' })
      .execute();
    const other = createSigner({ db: database.db, organizationId: 'other', clock, masterKey });
    await expect(other.signServiceToken({ audience: 'accounts' })).rejects.toMatchObject({
      code: 'MASTER_KEY_INVALID',
    });
  });

  it('is asked for again after the database did not answer', async () => {
    await using database = await createTestDatabase(accessMigrations);
    const tables = database.db.withTables<AccessTables>();
    await tables.schema.alterTable('signing_keys').renameTo('signing_keys_away').execute();
    const signer = createSigner({ db: database.db, organizationId, clock, masterKey: newSecretKey() });
    await expect(signer.publicKeys()).rejects.toThrow();
    await tables.schema.alterTable('signing_keys_away').renameTo('signing_keys').execute();
    expect(await signer.publicKeys()).toHaveLength(1);
  });
});

describe('a detached signature', () => {
  it('holds for the signed bytes under the signing key, and for nothing else', async () => {
    await using database = await createTestDatabase(accessMigrations);
    const signer = createSigner({ db: database.db, organizationId, clock, masterKey: newSecretKey() });
    const bytes = Buffer.from('{"request_id":"req_1","state":"completed"}');
    const signature = await signer.signDetached(bytes);
    const { x: publicKey } = await signer.publicJwk();
    expect(signature).toMatch(/^[\w-]+\.\.[\w-]+$/);
    expect(await verifyDetached({ signature, bytes, publicKey })).toBe(true);

    const other = createSigner({
      db: database.db,
      organizationId: 'other',
      clock,
      masterKey: newSecretKey(),
    });
    const { x: otherKey } = await other.publicJwk();
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(5) ^ 1, 5);
    const [header, , mark = ''] = signature.split('.');
    const wrong = [
      { signature, bytes: flipped, publicKey },
      { signature, bytes: bytes.subarray(1), publicKey },
      { signature, bytes, publicKey: otherKey },
      { signature, bytes, publicKey: 'not a key' },
      { signature: `${header}..${mark.slice(0, -4)}AAAA`, bytes, publicKey },
      { signature: `${header}.${bytes.toString('base64url')}.${mark}`, bytes, publicKey },
      { signature: '', bytes, publicKey },
      { signature: `${Buffer.from('{"alg":"none"}').toString('base64url')}..`, bytes, publicKey },
    ];
    for (const attempt of wrong) expect(await verifyDetached(attempt)).toBe(false);
  });
});
