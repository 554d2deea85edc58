import {
  type ChangeHandlers,
  memoryOperationStore,
  type PersonalDataCall,
  type RestrictCall,
  type ServePersonalDataOptions,
  servePersonalData,
} from '@habeas/sdk';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Fault, startPlainService } from '../../../../test/plain-grpc-service.ts';
import type { ConformanceResult } from '../../conformance/index.ts';
import type { SignToken } from '../pd-call.ts';
import { type ConformanceOptions, conformanceCases, runConformance } from './run-conformance.ts';

const ADA = 'ada@example.org';
const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
const { x = '' } = await exportJWK(publicKey);

const signAt =
  (offsetSeconds: number): SignToken =>
  ({ audience, requestId, method }) => {
    const at = Math.floor(Date.now() / 1_000) + offsetSeconds;
    return new SignJWT({ method, ...(requestId === undefined ? {} : { request_id: requestId }) })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setIssuer('habeas')
      .setAudience(audience)
      .setIssuedAt(at)
      .setExpirationTime(at + 300)
      .sign(privateKey);
  };

async function startSdkService(overrides: Partial<ServePersonalDataOptions> = {}): Promise<number> {
  let rows = [1, 2, 3];
  const found = (emails: readonly string[]) => (emails.includes(ADA) ? rows : []);
  const count = ({ values }: PersonalDataCall) => ({ counts: { rows: found(values('email')).length } });
  const flag = (): ChangeHandlers<RestrictCall> => {
    let isSet = false;
    const due = (call: RestrictCall) => (isSet === call.lift ? count(call) : { counts: {} });
    return {
      check: due,
      change(call) {
        const counted = due(call);
        isSet = !call.lift;
        return counted;
      },
    };
  };
  const server = await servePersonalData({
    service: 'accounts',
    port: 0,
    host: '127.0.0.1',
    habeas: { publicKeys: [x] },
    operations: memoryOperationStore(),
    describe: {
      dataCategories: ['user.contact.email'],
      identitiesNeeded: ['email'],
      identitiesResolved: ['user_id'],
    },
    get: ({ values }) => found(values('email')).map((id) => ({ collection: 'rows', row: { id } })),
    verify: ({ values }) => ({ counts: { rows: found(values('email')).length } }),
    resolveIdentities: ({ values }) =>
      found(values('email')).length > 0 ? [{ type: 'user_id', value: '7' }] : [],
    delete: ({ values }) => {
      const counts = { rows: found(values('email')).length };
      if (counts.rows > 0) rows = [];
      return { counts };
    },
    rectify: { check: count, change: count },
    restrict: flag(),
    object: flag(),
    ...overrides,
  });
  onTestFinished(() => server.close());
  return server.port;
}

/** A restriction of one row, with a fault. */
function flagOf(options: {
  readonly dryRunSets: boolean;
  readonly lifts: boolean;
}): ChangeHandlers<RestrictCall> {
  let isSet = false;
  const due = ({ lift }: RestrictCall) => ({ counts: isSet === lift ? { rows: 1 } : {} });
  const set = (call: RestrictCall) => {
    const counted = due(call);
    if (!call.lift || options.lifts) isSet = !call.lift;
    return counted;
  };
  return { check: options.dryRunSets ? set : due, change: set };
}

const run = (port: number, more: Partial<ConformanceOptions> = {}) =>
  runConformance({
    address: `127.0.0.1:${port}`,
    protocol: 'grpc',
    service: 'accounts',
    signToken: signAt(0),
    signExpiredToken: signAt(-3_600),
    subject: [{ type: 'email', value: ADA }],
    ...more,
  });

const namesOf = (results: readonly ConformanceResult[], outcome: ConformanceResult['outcome']) =>
  results.filter((result) => result.outcome === outcome).map(({ name }) => name);

function expectAllPassed(results: readonly ConformanceResult[]) {
  expect(results.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
  expect(results.map(({ name }) => name)).toEqual(conformanceCases.map(({ name }) => name));
}

/** Each fault, and exactly the cases that must see it. */
const SEEN: Readonly<Record<Fault, readonly string[]>> = {
  'lets-everyone-in': [
    'token-missing',
    'token-nonsense',
    'token-expired',
    'token-of-another-service',
    'token-of-another-key',
    'token-unsigned',
    'token-changed',
  ],
  'describes-itself-to-everyone': ['token-missing'],
  'takes-expired-tokens': ['token-expired'],
  'ignores-the-audience': ['token-of-another-service'],
  'does-not-check-signatures': ['token-of-another-key', 'token-unsigned', 'token-changed'],
  'says-unknown-people-are-errors': [
    'unknown-person',
    'identities-are-literal',
    'same-key-another-call',
    'deadline',
    'get-after-delete',
    'verify-after-delete',
    'delete-again',
  ],
  'forgets-keys': ['same-key-twice', 'same-key-another-call', 'deadline', 'same-key-at-once'],
  'checks-keys-before-it-waits': ['same-key-at-once'],
  'does-not-compare-bodies': ['same-key-another-call'],
  'erases-in-dry-runs': ['dry-run-changes-nothing', 'get-dry-run-gives-no-records', 'same-key-at-once'],
  'keeps-the-data': ['get-after-delete', 'verify-after-delete', 'delete-again'],
  'keeps-the-data-and-denies-it': ['get-after-delete', 'delete-again'],
  'reads-values-as-patterns': ['identities-are-literal'],
  'loses-unicode': ['identities-are-literal'],
  'takes-incomplete-calls': ['incomplete-calls'],
  'ignores-the-page-size': ['pages'],
  'gives-records-in-dry-runs': ['get-dry-run-gives-no-records'],
  'changes-ended-operations': ['asynchronous-to-the-end'],
  'begins-anew-after-a-deadline': ['deadline'],
  'never-ends': ['same-key-at-once'],
  'forgets-ended-operations': ['asynchronous-to-the-end'],
  'makes-up-operations': ['unknown-operation'],
  'has-another-name': ['describe-names-itself'],
  'needs-more-than-it-says': [
    'describe-needs-what-it-says',
    'describe-resolves-what-it-says',
    'known-person',
    'dry-run-changes-nothing',
    'get-dry-run-gives-no-records',
    'same-key-at-once',
  ],
  'resolves-less-than-it-says': ['describe-resolves-what-it-says'],
  'counts-wrong': ['known-person'],
};

describe.each(['grpc', 'http'] as const)('the conformance cases over %s', (protocol) => {
  it('all pass for a service with the SDK', async () => {
    expectAllPassed(await run(await startSdkService(), { protocol }));
  });

  it('all pass for an asynchronous service with the SDK', async () => {
    let rows = [1, 2, 3];
    const found = (emails: readonly string[]) => (emails.includes(ADA) ? rows : []);
    const port = await startSdkService({
      retryAfter: 1,
      get: (call) =>
        call.later(() => found(call.values('email')).map((id) => ({ collection: 'rows', row: { id } }))),
      verify: (call) => call.later(() => ({ counts: { rows: found(call.values('email')).length } })),
      delete: (call) =>
        call.later(() => {
          const counts = { rows: found(call.values('email')).length };
          if (counts.rows > 0) rows = [];
          return { counts };
        }),
      resolveIdentities: (call) => call.later(() => [{ type: 'user_id', value: '7' }]),
    });
    expectAllPassed(await run(port, { protocol }));
  });

  it('tell each result at once, leave the person alone when asked to, and skip what cannot be tried', async () => {
    const told: string[] = [];
    const port = await startSdkService({
      delete: ({ values }) => {
        if (values('email').includes(ADA)) throw new Error('The person must stay.');
        return { counts: {} };
      },
    });
    const results = await run(port, {
      protocol,
      erase: false,
      signExpiredToken: undefined,
      onCase: ({ name }) => told.push(name),
    });
    expect(told).toEqual(results.map(({ name }) => name));
    const erasing = conformanceCases.filter((one) => one.erases).map(({ name }) => name);
    expect(namesOf(results, 'skipped')).toEqual(['token-expired', ...erasing]);
  });
});

describe('the conformance cases', () => {
  it.each<readonly [string, ChangeHandlers<RestrictCall>]>([
    ['sets in a dry run', flagOf({ dryRunSets: true, lifts: true })],
    ['does not lift', flagOf({ dryRunSets: false, lifts: false })],
  ])('see a service whose Restrict %s', async (_, restrict) => {
    expect(namesOf(await run(await startSdkService({ restrict })), 'failed')).toEqual([
      'restrict-sets-and-lifts',
    ]);
  });

  it('all pass for a service with plain grpc-js', async () => {
    const service = await startPlainService({ service: 'accounts', publicKey: x, subject: ADA, rows: 3 });
    onTestFinished(service.close);
    const results = await run(service.port);
    // It leaves the rights that change to its team.
    const left = namesOf(results, 'skipped');
    expect(left.length).toBeGreaterThan(3);
    expect(left.filter((name) => !/^(rectify|restrict|object)-/.test(name))).toEqual([]);
    expect(namesOf(results, 'failed')).toEqual([]);
  });

  it.each(Object.entries(SEEN))('see a service that %s', { retry: 2 }, async (fault, seen) => {
    const service = await startPlainService({
      service: 'accounts',
      publicKey: x,
      subject: ADA,
      rows: 3,
      fault: fault as Fault,
    });
    onTestFinished(service.close);
    const results = await run(service.port, { patienceMilliseconds: 50 });
    expect(namesOf(results, 'failed')).toEqual(seen);
    for (const { outcome, detail } of results) expect(outcome === 'passed').toBe(detail === '');
    expect(JSON.stringify(results)).not.toContain(ADA);
  });

  it('fail one by one when nobody answers', async () => {
    const service = await startPlainService({ service: 'accounts', publicKey: x, subject: ADA, rows: 3 });
    service.close();
    const results = await run(service.port);
    expect(namesOf(results, 'passed')).toEqual([]);
    expect(results[0]).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('could not be reached'),
    });
  });
});
