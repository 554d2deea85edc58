import { memoryOperationStore, type ServePersonalDataOptions, servePersonalData } from '@habeas/sdk';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { onTestFinished } from 'vitest';
import {
  createPdClientConnector,
  type PdClientConnector,
  type PdClientOptions,
} from '../src/connectors/pd-client/index.ts';
import { createOutbound, createOutboundPolicy } from '../src/foundation/index.ts';

const TOKEN_SECONDS = 300;
const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' });

const { x = '' } = await exportJWK(publicKey);

const signToken: PdClientOptions['signToken'] = ({ audience, requestId, method }) => {
  const now = Math.floor(Date.now() / 1_000);
  return new SignJWT({ method, ...(requestId === undefined ? {} : { request_id: requestId }) })
    .setProtectedHeader({ alg: 'EdDSA' })
    .setIssuer('habeas')
    .setAudience(audience)
    .setIssuedAt(now)
    .setExpirationTime(now + TOKEN_SECONDS)
    .sign(privateKey);
};

/** A service `accounts` until the test ends, that holds nothing unless it is told what to answer; its port. */
export async function startService(overrides: Partial<ServePersonalDataOptions> = {}): Promise<number> {
  const server = await servePersonalData({
    service: 'accounts',
    port: 0,
    host: '127.0.0.1',
    habeas: { publicKeys: [x] },
    operations: memoryOperationStore(),
    onError: () => undefined,
    describe: { dataCategories: ['user.contact'], identitiesNeeded: ['email'] },
    get: () => [],
    delete: () => ({ counts: {} }),
    verify: () => ({ counts: {} }),
    ...overrides,
  });
  onTestFinished(() => server.close());
  return server.port;
}

/** A connector to a service `accounts` on this machine, over gRPC unless said otherwise, until the test ends. */
export function connectorTo(port: number, overrides: Partial<PdClientOptions> = {}): PdClientConnector {
  const connector = createPdClientConnector({
    service: 'accounts',
    team: 'identity',
    address: `127.0.0.1:${port}`,
    protocol: 'grpc',
    timeoutMilliseconds: 5_000,
    outbound: createOutbound({ policy: createOutboundPolicy({ allowPrivate: ['127.0.0.1'] }) }),
    signToken,
    ...overrides,
  });
  onTestFinished(() => connector.close());
  return connector;
}
