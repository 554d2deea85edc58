import { memoryOperationStore, servePersonalData } from '@habeas/sdk';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { testConnectorContract } from '../../../test/connector-contract.ts';
import { createOutbound, createOutboundPolicy } from '../../foundation/index.ts';
import type { ContractSubject } from '../contract/index.ts';
import { createPdClientConnector } from './pd-client-connector.ts';

const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
const { x = '' } = await exportJWK(publicKey);

interface Profile {
  readonly id: string;
  readonly email: string;
}

/** A service over a list of profiles, and the connector that calls it. */
async function openService(protocol: 'grpc' | 'http', later: boolean): Promise<ContractSubject> {
  let profiles: readonly Profile[] = [
    { id: '1', email: 'ann@example.com' },
    { id: '2', email: 'bob@example.com' },
    { id: '0', email: 'zero@example.com' },
  ];
  type Values = (type: string) => readonly string[];
  const isOf = (values: Values) => (profile: Profile) =>
    values('email').includes(profile.email) || values('user_id').includes(profile.id);
  const countOf = (count: number): Record<string, number> => (count === 0 ? {} : { profiles: count });
  const erase = async (values: Values) => {
    const erased = profiles.filter(isOf(values)).length;
    profiles = profiles.filter((profile) => !isOf(values)(profile));
    return { counts: countOf(erased) };
  };
  const service = await servePersonalData({
    service: 'accounts',
    port: 0,
    host: '127.0.0.1',
    habeas: { publicKeys: [x] },
    operations: memoryOperationStore(),
    describe: {
      dataCategories: ['user.contact.email'],
      identitiesNeeded: ['email', 'user_id'],
      identitiesResolved: ['user_id'],
    },
    get: ({ values }) =>
      profiles.filter(isOf(values)).map((profile) => ({ collection: 'profiles', row: { ...profile } })),
    delete: (call) => (later ? call.later(() => erase(call.values)) : erase(call.values)),
    verify: ({ values }) => ({ counts: countOf(profiles.filter(isOf(values)).length) }),
    resolveIdentities: ({ values }) =>
      profiles
        .filter(isOf(values))
        .flatMap(({ id }) => (values('user_id').includes(id) ? [] : [{ type: 'user_id', value: id }])),
  });
  const connector = createPdClientConnector({
    service: 'accounts',
    team: 'identity',
    address: `127.0.0.1:${service.port}`,
    protocol,
    timeoutMilliseconds: 5_000,
    outbound: createOutbound({ policy: createOutboundPolicy({ allowPrivate: ['127.0.0.1'] }) }),
    signToken: ({ audience, requestId, method }) =>
      new SignJWT({ method, ...(requestId === undefined ? {} : { request_id: requestId }) })
        .setProtectedHeader({ alg: 'EdDSA' })
        .setIssuer('habeas')
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(privateKey),
  });
  return {
    connector,
    person: [{ type: 'email', value: 'ann@example.com' }],
    other: [{ type: 'email', value: 'bob@example.com' }],
    falsy: [[{ type: 'user_id', value: '0' }]],
    snapshot: async () => profiles,
    close: async () => {
      await connector.close();
      await service.close();
    },
  };
}

/** A service is asked by the person's identities; the keys of its rows are its own business. */
const skipped = {
  discover: /does not offer discovery/,
  sample: /does not offer samples/,
  batches: /finds no keys/,
  'keys-first': /finds no keys/,
  'keys-twice': /finds no keys/,
  evidence: /counts alone/,
  'abort-among-keys': /finds no keys/,
};

testConnectorContract('PDClient over gRPC', () => openService('grpc', false), { skipped });
testConnectorContract('PDClient over HTTP', () => openService('http', false), { skipped });
testConnectorContract('PDClient whose service answers later', () => openService('grpc', true), { skipped });
