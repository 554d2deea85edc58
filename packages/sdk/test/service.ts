import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { onTestFinished } from 'vitest';
import {
  memoryOperationStore,
  type PersonalDataServer,
  type ServePersonalDataOptions,
  servePersonalData,
} from '../src/index.ts';

/** A key pair as Habeas has one, and the tokens that it signs. */
export interface TestSigner {
  /** `x` of the public JWK. */
  readonly publicKey: string;
  token(claims?: JWTPayload): Promise<string>;
}

export async function testSigner(): Promise<TestSigner> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
  const { x = '' } = await exportJWK(publicKey);
  return {
    publicKey: x,
    token(claims = {}) {
      const now = Math.floor(Date.now() / 1_000);
      const all = { iss: 'habeas', aud: 'accounts', iat: now, exp: now + 60, ...claims };
      return new SignJWT(all).setProtectedHeader({ alg: 'EdDSA' }).sign(privateKey);
    },
  };
}

export const ADA = 'ada@example.org';

export interface TestService extends PersonalDataServer {
  readonly signer: TestSigner;
  readonly url: string;
  /** What the service holds: e-mail → rows. */
  readonly data: Map<string, { readonly id: string }[]>;
  /** The keys that `delete` was called with. */
  readonly deletions: string[];
  /** Calls over HTTP and JSON as Habeas does; `path` such as `personal-data:get`. */
  post(path: string, body?: object, headers?: Record<string, string>): Promise<HttpAnswer>;
  get(path: string): Promise<HttpAnswer>;
}

export interface HttpAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests compare what came over the wire, whatever it is.
  readonly json: any;
}

/** A call about Ada with a key of its own. */
export function call(more: object = {}): object {
  const identities = [{ type: 'email', value: ADA }];
  return { requestId: 'req_1', idempotencyKey: randomUUID(), identities, ...more };
}

/** A service with one person, on loopback; closed when the test ends. */
export async function startService(
  overrides: Partial<ServePersonalDataOptions> & { readonly signer?: TestSigner } = {},
): Promise<TestService> {
  const signer = overrides.signer ?? (await testSigner());
  const data = new Map([[ADA, [{ id: '1' }, { id: '2' }]]]);
  const deletions: string[] = [];
  const rowsOf = (emails: readonly string[]) => emails.flatMap((email) => data.get(email) ?? []);
  const server = await servePersonalData({
    service: 'accounts',
    port: 0,
    host: '127.0.0.1',
    habeas: { publicKeys: [signer.publicKey] },
    operations: memoryOperationStore(),
    describe: { dataCategories: ['user.contact.email'], identitiesNeeded: ['email'] },
    get: ({ values }) => rowsOf(values('email')).map((row) => ({ collection: 'profiles', row })),
    verify: ({ values }) => ({ counts: { profiles: rowsOf(values('email')).length } }),
    delete: ({ values, idempotencyKey }) => {
      deletions.push(idempotencyKey);
      const counts = { profiles: rowsOf(values('email')).length };
      for (const email of values('email')) data.delete(email);
      return { counts };
    },
    ...overrides,
  });
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= server.close();
    return closed;
  };
  onTestFinished(close);
  const url = `http://127.0.0.1:${server.port}`;
  const send = async (path: string, init: RequestInit): Promise<HttpAnswer> => {
    const authorization = `Bearer ${await signer.token()}`;
    const response = await fetch(`${url}/v1/${path}`, {
      ...init,
      headers: { authorization, ...(init.headers as Record<string, string>) },
    });
    return { status: response.status, json: await response.json() };
  };
  return {
    port: server.port,
    close,
    signer,
    url,
    data,
    deletions,
    get: (path) => send(path, {}),
    post: (path, body = call(), headers = {}) =>
      send(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
  };
}
