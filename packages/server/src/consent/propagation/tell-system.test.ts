import { memoryOperationStore, servePersonalData } from '@habeas/sdk';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { expect, it, onTestFinished } from 'vitest';
import { createPdClientConnector } from '../../connectors/index.ts';
import { createOutbound, createOutboundPolicy } from '../../foundation/index.ts';
import type { ToldPurpose } from './consent-message.ts';
import { tellSystem } from './tell-system.ts';

const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
const { x = '' } = await exportJWK(publicKey);

/** A service that keeps what people object to, and a connector to it. */
async function start(protocol: 'grpc' | 'http') {
  const objections = new Set<string>();
  const calls: string[] = [];
  const server = await servePersonalData({
    service: 'crm',
    port: 0,
    host: '127.0.0.1',
    habeas: { publicKeys: [x] },
    operations: memoryOperationStore(),
    onError: () => undefined,
    describe: { dataCategories: ['user.contact'], identitiesNeeded: ['email'] },
    get: () => [],
    delete: () => ({ counts: {} }),
    verify: () => ({ counts: {} }),
    object: {
      check: () => ({ counts: {} }),
      change({ kind, purposes, lift, values }) {
        calls.push(`${kind} ${purposes.join(' ')} ${lift ? 'lifted' : 'set'} ${values('email').join()}`);
        for (const purpose of purposes) {
          if (lift) objections.delete(purpose);
          else objections.add(purpose);
        }
        return { counts: { profiles: 1 } };
      },
    },
  });
  onTestFinished(() => server.close());
  const connector = createPdClientConnector({
    service: 'crm',
    team: 'marketing',
    address: `127.0.0.1:${server.port}`,
    protocol,
    timeoutMilliseconds: 5_000,
    outbound: createOutbound({ policy: createOutboundPolicy({ allowPrivate: ['127.0.0.1'] }) }),
    signToken: ({ audience, requestId, method }) => {
      const now = Math.floor(Date.now() / 1_000);
      return new SignJWT({ method, ...(requestId === undefined ? {} : { request_id: requestId }) })
        .setProtectedHeader({ alg: 'EdDSA' })
        .setIssuer('habeas')
        .setAudience(audience)
        .setIssuedAt(now)
        .setExpirationTime(now + 60)
        .sign(privateKey);
    },
  });
  onTestFinished(() => connector.close());
  return { connector, objections, calls };
}

const purpose = (name: string, allowed: boolean): ToldPurpose => ({
  code: name,
  name,
  allowed,
  said: allowed,
  allowedByDefault: false,
  legalBasis: 'consent',
});

it.each(['grpc', 'http'] as const)(
  'calls Object of a service by %s, once for each state',
  async (protocol) => {
    const { connector, objections, calls } = await start(protocol);
    const tell = (id: string, purposes: readonly ToldPurpose[]) =>
      tellSystem(connector, {
        system: 'crm',
        organizationId: 'acme',
        purposes,
        signal: AbortSignal.timeout(10_000),
        delivery: {
          subject: 1,
          version: '1',
          id,
          known: 0n,
          granted: 0n,
          saidAt: null,
          madeAt: new Date(),
          tries: 0,
          operations: {},
          identities: [{ type: 'email', value: 'ada@example.org' }],
        },
      });
    const first = [purpose('stats', true), purpose('ads', false), purpose('mail', false)];
    expect(await tell('a', first)).toEqual({ operations: {}, retryAfterSeconds: 0 });
    expect([...objections]).toEqual(['ads', 'mail']);
    // Its answer was lost, and it is told again.
    await tell('a', first);
    expect(calls).toEqual([
      'objection stats lifted ada@example.org',
      'objection ads mail set ada@example.org',
    ]);
    await tell('b', [purpose('stats', false), purpose('ads', true), purpose('mail', false)]);
    expect([...objections].sort()).toEqual(['mail', 'stats']);
  },
);
