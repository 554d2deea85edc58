import { exportJWK, exportPKCS8, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { createTokenVerifier, type PublicKey } from './token-verifier.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const seconds = NOW.getTime() / 1_000;
const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
const jwk = await exportJWK(publicKey);
const x = jwk.x ?? '';

interface Overrides {
  readonly claims?: Record<string, unknown>;
  readonly key?: Parameters<SignJWT['sign']>[0];
  readonly header?: { readonly alg: string; readonly kid?: string };
}

function sign({ claims = {}, key = privateKey, header = { alg: 'EdDSA' } }: Overrides = {}): Promise<string> {
  const all: Record<string, unknown> = {
    iss: 'habeas',
    aud: 'accounts',
    iat: seconds,
    exp: seconds + 300,
    ...claims,
  };
  for (const [name, value] of Object.entries(all)) if (value === undefined) delete all[name];
  return new SignJWT(all).setProtectedHeader(header).sign(key);
}

const verifier = (publicKeys: readonly PublicKey[] = [x]) =>
  createTokenVerifier({ service: 'accounts', publicKeys, now: () => NOW });

/** `passed`, or the code of the refusal. */
async function outcome(
  token: string,
  publicKeys?: readonly PublicKey[],
  scheme = 'Bearer ',
): Promise<string> {
  const verify = await verifier(publicKeys);
  return verify({ authorization: `${scheme}${token}`, rpc: 'Get', requestId: 'req_1' }).then(
    () => 'passed',
    (error) => error.message.slice(0, error.message.indexOf(']') + 1),
  );
}

describe('a token', () => {
  it('of Habeas, for this service and now, passes', async () => {
    expect(await outcome(await sign())).toBe('passed');
    expect(await outcome(await sign({ claims: { aud: ['others', 'accounts'] } }))).toBe('passed');
    expect(await outcome(await sign({ claims: { method: 'Get', request_id: 'req_1' } }))).toBe('passed');
    expect(await outcome(await sign(), undefined, 'bearer ')).toBe('passed');
  });

  it('of another key, issuer, audience or time does not pass', async () => {
    const other = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
    const refused: Overrides[] = [
      { key: other.privateKey },
      { claims: { iss: 'someone' } },
      { claims: { iss: undefined } },
      { claims: { aud: 'orders' } },
      { claims: { aud: undefined } },
      { claims: { iat: seconds - 400, exp: seconds - 100 } },
      { claims: { iat: seconds - 400, exp: seconds + 100 } },
      { claims: { exp: undefined } },
      { claims: { iat: undefined } },
      { claims: { exp: seconds + 301 } },
      { claims: { iat: seconds + 60, exp: seconds + 300 } },
      { claims: { nbf: seconds + 60 } },
      { key: new Uint8Array(32), header: { alg: 'HS256' } },
    ];
    for (const one of refused)
      expect([one.claims, await outcome(await sign(one))]).toEqual([one.claims, '[unauthenticated]']);
  });

  it('signed with the public key as a shared secret does not pass', async () => {
    const secret = new TextEncoder().encode(x);
    expect(await outcome(await sign({ key: secret, header: { alg: 'HS256' } }))).toBe('[unauthenticated]');
  });

  it('that is missing, unsigned or nonsense does not pass', async () => {
    const [, body] = (await sign()).split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    for (const token of [
      '',
      'nonsense',
      'a.b.c',
      `${none}.${body}.`,
      `${none}.${body}`,
      `${await sign()} x`,
    ]) {
      expect([token, await outcome(token)]).toEqual([token, '[unauthenticated]']);
    }
    const verify = await verifier();
    await expect(verify({ authorization: null, rpc: 'Get', requestId: undefined })).rejects.toThrow(
      '[unauthenticated]',
    );
    expect(await outcome(await sign(), undefined, 'Basic ')).toBe('[unauthenticated]');
  });

  it('of another call does not pass', async () => {
    expect(await outcome(await sign({ claims: { method: 'Delete' } }))).toBe('[permission_denied]');
    expect(await outcome(await sign({ claims: { request_id: 'req_2' } }))).toBe('[permission_denied]');
  });

  it('passes under any of several keys, written in any of their ways', async () => {
    const other = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
    const otherJwk = await exportJWK(other.publicKey);
    const ways: PublicKey[] = [x, `${x}\n`, jwk, { ...jwk, kid: 'a' }, await exportSPKI(publicKey)];
    for (const way of ways) expect(await outcome(await sign(), [otherJwk, way])).toBe('passed');
    const header = { alg: 'EdDSA', kid: 'b' };
    expect(await outcome(await sign({ header }), [{ ...jwk, kid: 'a' }])).toBe('[unauthenticated]');
    expect(await outcome(await sign({ header }), [{ ...jwk, kid: 'b' }])).toBe('passed');
  });

  it('is never checked with keys that are none', async () => {
    const secret = await exportJWK(privateKey);
    const bad: PublicKey[][] = [
      [],
      [''],
      ['not a key'],
      [secret],
      [await exportPKCS8(privateKey)],
      [{ kty: 'RSA' }],
    ];
    for (const keys of bad) {
      const refused = verifier(keys);
      await expect(refused).rejects.toThrow(TypeError);
      await expect(refused).rejects.toThrow(/^servePersonalData\(\): .*habeas\.publicKeys/);
    }
  });

  it('says of an empty key which variable is not set, and where keys come from', async () => {
    for (const empty of ['', ' \n']) {
      await expect(verifier([empty])).rejects.toThrow(/HABEAS_PUBLIC_KEY set\? `habeas clients keys` prints/);
    }
  });
});
