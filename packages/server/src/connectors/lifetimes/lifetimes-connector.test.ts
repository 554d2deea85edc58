import { nanos } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collect, erase, scopeOf } from '../../../test/connector-contract.ts';
import { type MemcachedServer, startMemcached } from '../../../test/memcached-server.ts';
import { type NatsServer, startNats } from '../../../test/nats-server.ts';
import { RABBITMQ_ENVIRONMENT, type RabbitmqServer, startRabbitmq } from '../../../test/rabbitmq-server.ts';
import { requireProgram } from '../../../test/requirements.ts';
import { parseDatasets } from '../../catalog/index.ts';
import { fixedClock, systemClock } from '../../foundation/index.ts';
import type { ConnectionKind } from '../connection-kind.ts';
import { inWords } from './in-words.ts';
import { createMemcachedConnector, createNatsConnector, createRabbitmqConnector } from './index.ts';

// Servers start and stop; on a busy machine that takes a while.
const NOW = '2026-03-01T12:00:00Z';
const HOUR = 3_600_000;
const ANN = [{ type: 'user_id', value: '7' }];

const datasetOf = (...collections: readonly string[]) => `
dataset:
  - fides_key: store
    collections:
${collections.map((one) => `      - ${one}`).join('\n')}
`;
const collectionOf = (name: string, lifetime: string) =>
  `{ name: ${name}, habeas: { lifetime: ${lifetime} }, fields: [{ name: email, data_categories: [user.contact.email] }] }`;

const connect = (
  kind: ConnectionKind,
  url: string,
  dataset: string,
  {
    options = {},
    clock = fixedClock(NOW),
  }: { options?: Readonly<Record<string, unknown>>; clock?: typeof systemClock } = {},
) =>
  kind({
    key: 'store',
    url,
    folder: '/',
    options,
    datasets: parseDatasets(dataset, 'store.yml'),
    keepRules: [],
    clock,
    connections: 4,
  });

const later = (milliseconds: number) => new Date(Date.parse(NOW) + milliseconds).toISOString();

describe('a dataset of what ends by itself', () => {
  const url = 'memcached://127.0.0.1:1';
  test.each([
    ['has no lifetime', '{ name: a, fields: [] }', /does not say how long/],
    ['has no longest time', collectionOf('a', '{}'), /has to say `max_age`/],
    ['names a queue', collectionOf('a', '{ max_age: 1h, queue: x }'), /`queue` of "a" is not for this kind/],
    [
      'would have people found',
      '{ name: a, habeas: { lifetime: { max_age: 1h } }, fields: [{ name: email, fides_meta: { identity: email } }] }',
      /Nobody can be looked for in "a"/,
    ],
  ])('that %s is refused at the check, and before an erasure', async (_, collection, problem) => {
    const connector = connect(createMemcachedConnector, url, datasetOf(collection));
    const { ok, problems } = await connector.check();
    expect({ ok, problems }).toEqual({ ok: false, problems: [expect.stringMatching(problem)] });
    await expect(connector.erase(scopeOf(ANN, []), 'erase')).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
    });
  });

  test('gives times in words', () => {
    expect([1, 1_000, 90_000, HOUR, 36 * HOUR, 48 * HOUR].map(inWords)).toEqual([
      '1 millisecond',
      '1 second',
      '90 seconds',
      '1 hour',
      '36 hours',
      '2 days',
    ]);
  });
});

const memcachedProgram = requireProgram('memcached', '-V');
describe.skipIf(memcachedProgram === undefined)('items of a memcached', () => {
  let memcached: MemcachedServer;
  beforeAll(async () => {
    memcached = await startMemcached();
  });
  afterAll(() => memcached[Symbol.asyncDispose]());
  const dataset = datasetOf(
    collectionOf('sessions', '{ keys: "session:", max_age: 24h }'),
    collectionOf('pages', '{ keys: "page:", max_age: 90s }'),
  );

  test('are residuals until the longest of them ends, and nothing is claimed to be erased', async () => {
    const connector = connect(createMemcachedConnector, memcached.url, dataset);
    expect(await connector.check()).toMatchObject({ ok: true, problems: [] });
    expect([...connector.capabilities]).toEqual(['collect', 'erase']);
    const evidence = await erase({ connector }, scopeOf(ANN, []));
    expect(evidence).toMatchObject({ matched: false, counts: {} });
    expect(evidence.residuals).toEqual([
      {
        what: 'items of sessions, in which nobody can be looked for: each ends after 1 day, as the dataset declares.',
        until: later(24 * HOUR),
      },
      { what: expect.stringMatching(/^items of pages.*90 seconds/), until: later(90_000) },
    ]);
    expect((await erase({ connector }, scopeOf(ANN, []), 'dry-run')).residuals).toEqual([]);
    const { items, evidence: given } = await collect({ connector }, ANN);
    expect(items).toEqual([]);
    expect(given.notes).toEqual([expect.stringMatching(/in sessions/), expect.stringMatching(/in pages/)]);
  });

  test('that live longer than is declared are told at the check, without their keys', async () => {
    const check = () =>
      connect(createMemcachedConnector, memcached.url, dataset, { clock: systemClock }).check();
    await memcached.set('session:ann@example.com', 'x', 23 * 3_600);
    await memcached.set('page:1', 'x', 60);
    await memcached.set('other', 'x', 0);
    expect(await check()).toMatchObject({ ok: true });
    await memcached.set('page:2', 'x', 600);
    await memcached.set('session:bob@example.com', 'x', 0);
    await memcached.set('session:eve@example.com', 'x', 30 * 3_600);
    const { ok, problems } = await check();
    expect(ok).toBe(false);
    expect(problems).toEqual([
      '2 items of "sessions", which is declared to end after 1 day, have no end or a later one (6 items were looked at).',
      expect.stringMatching(/^1 items of "pages", which is declared to end after 90 seconds/),
    ]);
  });

  test('of a server that is away are told at the check, and dated all the same', async () => {
    await using own = await startMemcached();
    const connector = connect(createMemcachedConnector, own.url, dataset);
    await own.kill();
    expect(await connector.check()).toMatchObject({
      ok: false,
      message: expect.stringMatching(/cannot be reached/),
    });
    expect((await erase({ connector }, scopeOf(ANN, []))).residuals).toHaveLength(2);
  });

  test.each([['http://x'], ['memcached:'], ['x']])(
    'at %s cannot be reached, says the configuration',
    (url) => {
      expect(() => connect(createMemcachedConnector, url, dataset)).toThrow(/memcached:\/\/cache.internal/);
    },
  );
});

/** What differs between stores that say themselves how long things live. */
function describeSpeakingStore(options: {
  readonly kind: ConnectionKind;
  /** Makes a place that keeps things for so long; undefined: for ever. */
  readonly make: (name: string, milliseconds: number | undefined) => Promise<void>;
  readonly url: () => string;
  readonly key: 'queue' | 'stream';
}): void {
  const { kind, make, key } = options;
  const connected = (lifetime: string) =>
    connect(kind, options.url(), datasetOf(collectionOf('mails', lifetime)));

  test('are residuals until the date that the store itself gives', async () => {
    await make('mails', 2 * HOUR);
    for (const lifetime of ['{}', '{ max_age: 24h }']) {
      const connector = connected(lifetime);
      expect(await connector.check()).toMatchObject({ ok: true, problems: [] });
      const { matched, residuals } = await erase({ connector }, scopeOf(ANN, []));
      expect(matched).toBe(false);
      expect(residuals).toEqual([
        {
          what: 'messages of mails, in which nobody can be looked for: each ends after 2 hours, as the store is set.',
          until: later(2 * HOUR),
        },
      ]);
      await connector.close();
    }
  });

  test('that are declared to end sooner than the store ends them are told at the check, and dated truly', async () => {
    await make('slow', 48 * HOUR);
    const connector = connected(`{ ${key}: slow, max_age: 24h }`);
    expect(await connector.check()).toMatchObject({
      ok: false,
      problems: [
        '"mails" is declared to end after 1 day, and "slow" keeps it for 2 days: correct one of them.',
      ],
    });
    const { residuals } = await erase({ connector }, scopeOf(ANN, []));
    expect(residuals.map(({ until }) => until)).toEqual([later(48 * HOUR)]);
    await connector.close();
  });

  test('that nothing ends are told at the check, and have no date', async () => {
    await make('endless', undefined);
    for (const lifetime of [`{ ${key}: endless }`, `{ ${key}: endless, max_age: 24h }`]) {
      const connector = connected(lifetime);
      expect(await connector.check()).toMatchObject({
        ok: false,
        problems: [expect.stringMatching(/ends by itself.*set .*at the store/)],
      });
      const { residuals } = await erase({ connector }, scopeOf(ANN, []));
      expect(residuals).toEqual([
        { what: expect.stringMatching(/nothing there ends by itself/), until: null },
      ]);
      await connector.close();
    }
  });

  test('of a place that is not there stop with what to do', async () => {
    const connector = connected(`{ ${key}: gone }`);
    expect(await connector.check()).toMatchObject({
      ok: false,
      message: expect.stringMatching(/has no .* "gone"/),
    });
    await expect(connector.erase(scopeOf(ANN, []), 'erase')).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
    });
    await connector.close();
  });
}

const natsProgram = requireProgram('nats-server', '-v');
describe.skipIf(natsProgram === undefined)('messages in streams of NATS', () => {
  let nats: NatsServer;
  beforeAll(async () => {
    nats = await startNats();
  });
  afterAll(() => nats[Symbol.asyncDispose]());

  describeSpeakingStore({
    kind: createNatsConnector,
    key: 'stream',
    url: () => nats.url,
    make: async (name, milliseconds) => {
      await nats.manager.streams.add({
        name,
        subjects: [`${name}.>`],
        max_age: milliseconds === undefined ? 0 : nanos(milliseconds),
      });
    },
  });

  test('are asked for again when the server is back', async () => {
    await using own = await startNats();
    await own.manager.streams.add({ name: 'mails', subjects: ['m'], max_age: nanos(HOUR) });
    const connector = connect(createNatsConnector, own.url, datasetOf(collectionOf('mails', '{}')));
    expect((await connector.check()).ok).toBe(true);
    await own.kill();
    await expect(connector.erase(scopeOf(ANN, []), 'erase')).rejects.toMatchObject({
      code: 'SYSTEM_UNREACHABLE',
      retryable: true,
    });
    expect((await connector.check()).ok).toBe(false);
    await own.start();
    expect((await connector.check()).ok).toBe(true);
    await connector.close();
  });
});

const rabbitmqProgram = requireProgram(RABBITMQ_ENVIRONMENT);
describe.skipIf(rabbitmqProgram === undefined)('messages in queues of RabbitMQ', () => {
  let rabbitmq: RabbitmqServer;
  beforeAll(async () => {
    rabbitmq = await startRabbitmq();
    await rabbitmq.put('vhosts/shop%20eu', {});
    await rabbitmq.put('permissions/shop%20eu/guest', { configure: '.*', write: '.*', read: '.*' });
  });
  afterAll(() => rabbitmq[Symbol.asyncDispose]());
  const url = (user = 'guest:guest', host = rabbitmq.host) => `http://${user}@${host}/shop%20eu`;
  const queue = (name: string, args: object) =>
    rabbitmq.put(`queues/shop%20eu/${name}`, { durable: true, arguments: args });

  describeSpeakingStore({
    kind: createRabbitmqConnector,
    key: 'queue',
    url: () => url(),
    make: (name, milliseconds) =>
      queue(name, milliseconds === undefined ? {} : { 'x-message-ttl': milliseconds }),
  });

  test('end as the shorter of the queue’s own time and that of its policy, and may go on elsewhere', async () => {
    await queue('both', { 'x-message-ttl': 3 * HOUR });
    await queue('policy', {});
    await rabbitmq.put('policies/shop%20eu/ends', {
      pattern: '^(both|policy)$',
      definition: { 'message-ttl': HOUR, 'dead-letter-exchange': 'dead' },
      'apply-to': 'queues',
    });
    const dataset = datasetOf(collectionOf('both', '{}'), collectionOf('policy', '{ max_age: 2h }'));
    const connector = connect(createRabbitmqConnector, url(), dataset);
    await expect
      .poll(async () => (await erase({ connector }, scopeOf(ANN, []))).residuals, { timeout: 60_000 })
      .toEqual([
        { what: expect.stringMatching(/^messages of both.*dead letter exchange "dead"/), until: later(HOUR) },
        {
          what: expect.stringMatching(/^messages of policy.*dead letter exchange "dead"/),
          until: later(HOUR),
        },
      ]);
    await connector.close();
  });

  test.each([
    ['password', () => url('guest:wrong'), 'SYSTEM_REFUSED'],
    ['address', () => url('guest:guest', '127.0.0.1:1'), 'SYSTEM_UNREACHABLE'],
  ])('with a wrong %s are told and tried again', async (_, wrong, code) => {
    const connector = connect(createRabbitmqConnector, wrong(), datasetOf(collectionOf('mails', '{}')));
    await expect(connector.erase(scopeOf(ANN, []), 'erase')).rejects.toMatchObject({ code, retryable: true });
    expect((await connector.check()).ok).toBe(false);
    await connector.close();
  });
});

test.each([
  [createRabbitmqConnector, 'amqp://x', {}, /management API/],
  [createRabbitmqConnector, 'http://x/a/b', {}, /management API/],
  [createRabbitmqConnector, 'http://x/', { token: 'x' }, /only `ca`/],
  [createNatsConnector, 'http://x', {}, /nats:\/\//],
  [createNatsConnector, 'nats://x', { token: 'x' }, /only `credentials`/],
])(
  'what cannot be an address or an option is told when the connection is made',
  (kind, url, options, message) => {
    expect(() => connect(kind, url, datasetOf(collectionOf('a', '{}')), { options })).toThrow(message);
  },
);
