import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { collect, erase, located, scopeOf, testConnectorContract } from '../../../test/connector-contract.ts';
import { type RedisServer, startRedis } from '../../../test/redis-server.ts';
import { requireProgram } from '../../../test/requirements.ts';
import { type Identity, type KeepRule, parseDatasets } from '../../catalog/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import { parseKeyPattern, searchFor } from './key-pattern.ts';
import { createRedisConnector } from './redis-connector.ts';
import { snapshotAfter } from './residuals.ts';

const program = requireProgram('redis-server', '--version');

const DATASET = `
dataset:
  - fides_key: cache
    collections:
      - name: sessions
        habeas: { on_erase: delete, redis: { key: ["session:{user_id}:*", "basket:{user_id}"] } }
        fields: &person
          - { name: user_id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email }, habeas: { match: case-insensitive } }
      - name: addresses
        habeas: { on_erase: delete, redis: { key: addresses, field: "{email}" } }
        fields: *person
      - name: online
        habeas: { on_erase: delete, redis: { key: ["online:*", ranking, queue], member: "user={user_id}" } }
        fields: *person
      - name: events
        habeas: { on_erase: delete, redis: { key: events, entry: { field: user, value: "{user_id}" } } }
        fields: *person
`;

const DATA: readonly (readonly (string | Buffer)[])[] = [
  ['SET', 'session:7:abc', '{"cart":[1]}', 'EX', '1000'],
  ['HSET', 'session:7:def', 'name', 'Ann', 'bytes', Buffer.from([0xff, 0x00])],
  ['SET', 'session:77:abc', 'seventy-seven'],
  ['SET', 'session:7:2:abc', 'of the person 7:2'],
  ['SET', 'session:0:x', 'zero'],
  ['SET', 'session::x', 'nobody'],
  ['RPUSH', 'basket:7', 'a', 'b'],
  ['RPUSH', 'basket:[7]', 'not a glob'],
  ['HSET', 'addresses', 'Ann@Example.com', 'Ann', 'bob@example.com', 'Bob'],
  ['SADD', 'online:de', 'user=7', 'user=77'],
  ['SADD', 'online:fr', 'user=7'],
  ['ZADD', 'ranking', '1', 'user=7', '2', 'user=77'],
  ['RPUSH', 'queue', 'user=7', 'user=77', 'user=7'],
  ['XADD', 'events', '1-1', 'user', '7', 'what', 'login'],
  ['XADD', 'events', '1-2', 'user', '77', 'what', 'login'],
];

const id = (value: string, type = 'user_id'): readonly Identity[] => [{ type, value }];
const ANN = [...id('7'), ...id('ann@example.com', 'email')];
const BOB = [...id('77'), ...id('bob@example.com', 'email')];

function connect(url: string, options: { dataset?: string; keepRules?: readonly KeepRule[] } = {}) {
  return createRedisConnector({
    key: 'cache',
    url,
    folder: '/',
    options: {},
    datasets: parseDatasets(options.dataset ?? DATASET, 'cache.yml'),
    keepRules: options.keepRules ?? [],
    clock: fixedClock('2026-01-01T00:00:00Z'),
    connections: 4,
  });
}

describe.skipIf(program === undefined)('a Redis server', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
    return () => redis[Symbol.asyncDispose]();
  });
  const fill = () => redis.run(['FLUSHALL'], ...DATA);

  testConnectorContract(
    'Redis',
    async () => {
      await fill();
      const connector = connect(redis.url);
      return {
        connector,
        person: ANN,
        other: BOB,
        falsy: [id('0'), id('')],
        snapshot: () => redis.dump(),
        close: () => connector.close(),
      };
    },
    { skipped: { discover: /discovery/, sample: /samples/, resolve: /no identities/ } },
  );

  test('exactly what is the person’s goes, whatever holds it', async () => {
    await fill();
    const connector = connect(redis.url);
    const before = await redis.dump();
    const scope = await located({ connector }, ANN);
    expect((await erase({ connector }, scope)).counts).toEqual({
      sessions: 3,
      addresses: 1,
      online: 4,
      events: 1,
    });
    const { 'session:7:abc': _, 'session:7:def': __, 'basket:7': ___, 'online:fr': ____, ...rest } = before;
    expect(await redis.dump()).toEqual({
      ...rest,
      addresses: '["hash",false,[["bob@example.com","Bob"]]]',
      'online:de': '["set",false,["user=77"]]',
      ranking: '["zset",false,[{"value":"user=77","score":2}]]',
      queue: '["list",false,["user=77"]]',
      events: '["stream",false,[{"id":"1-2","message":{"user":"77","what":"login"}}]]',
    });
    expect((await connector.verify(scope)).remaining).toEqual({
      sessions: 0,
      addresses: 0,
      online: 0,
      events: 0,
    });
    await connector.close();
  });

  test('what is given says what each key holds, when it ends, and how many never end', async () => {
    await fill();
    const connector = connect(redis.url);
    const { items, evidence } = await collect({ connector }, id('7'));
    const sessions = items.filter(({ collection }) => collection === 'sessions').map(({ row }) => row);
    expect(sessions.sort((a, b) => String(a.key).localeCompare(String(b.key)))).toEqual([
      { key: 'basket:7', expires_at: null, value: ['a', 'b'] },
      { key: 'session:7:abc', expires_at: expect.stringMatching(/^2026-01-01T00:1/), value: '{"cart":[1]}' },
      { key: 'session:7:def', expires_at: null, value: { name: 'Ann', bytes: { base64: '/wA=' } } },
    ]);
    expect(items.find(({ collection }) => collection === 'events')?.row).toEqual({
      key: 'events',
      id: '1-1',
      fields: { user: '7', what: 'login' },
    });
    expect(evidence.notes).toEqual([
      '2 keys of sessions have no time to live: they stay until somebody removes them.',
    ]);
    await connector.close();
  });

  test('a key with very many elements, and a very long text, come in parts', async () => {
    await redis.run(['FLUSHALL'], ['SET', 'basket:7', 'x'.repeat(600_000)]);
    for (let at = 0; at < 3; at += 1)
      await redis.run([
        'SADD',
        'session:7:set',
        ...Array.from({ length: 1_000 }, (_, n) => `m${at * 1_000 + n}`),
      ]);
    const connector = connect(redis.url);
    const { items, evidence } = await collect({ connector }, id('7'));
    const parts = (key: string) => items.map(({ row }) => row).filter((row) => row.key === key);
    expect(parts('basket:7').map(({ part }) => part)).toEqual([1, 2, 3]);
    expect(
      parts('basket:7')
        .map(({ value }) => value)
        .join(''),
    ).toBe('x'.repeat(600_000));
    const members = parts('session:7:set').flatMap(({ value }) => (Array.isArray(value) ? value : []));
    expect(new Set(members).size).toBe(3_000);
    expect(evidence.counts).toEqual({ sessions: 2 });
    await connector.close();
  });

  test('what comes after the keys were found is seen by the second reading', async () => {
    await fill();
    const connector = connect(redis.url);
    const scope = await located({ connector }, ANN);
    await redis.run(['SET', 'session:7:new', 'late']);
    await erase({ connector }, scope);
    expect((await connector.verify(scope)).remaining).toMatchObject({ sessions: 1 });
    await connector.close();
  });

  test('what there is a duty to keep stays and is named', async () => {
    await fill();
    const dataset = DATASET.replace(
      'on_erase: delete, redis: { key: events',
      'on_erase: { keep: { reason: "Security log", until: 2031-01-01 } }, redis: { key: events',
    );
    const connector = connect(redis.url, { dataset });
    const { retained, counts, effects } = await erase({ connector }, await located({ connector }, ANN));
    expect(counts).not.toHaveProperty('events');
    expect(effects).toMatchObject({
      events: { found: 1, erased: 0, kept: 1, level: 'logical' },
      online: { found: 4, erased: 4, kept: 0, level: 'logical' },
    });
    expect(retained).toEqual([
      { collection: 'events', count: 1, reason: 'Security log', until: '2031-01-01' },
    ]);
    await connector.close();
  });

  test('a key of another type than the dataset says is told before anything is erased', async () => {
    await redis.run(['FLUSHALL'], ['SET', 'addresses', 'a text']);
    const connector = connect(redis.url);
    await expect(located({ connector }, ANN)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringContaining('A key of the collection "addresses" is a string'),
    });
    await connector.close();
  });

  test('snapshots and the append-only file are named as copies, with a date where the settings give one', async () => {
    await using own = await startRedis(['--save', '3600 1', '--appendonly', 'yes']);
    await own.run(...DATA);
    const connector = connect(own.url);
    const { residuals } = await erase({ connector }, await located({ connector }, ANN));
    expect(residuals).toEqual([
      { what: expect.stringContaining('append-only file'), until: null, copy: 'append-only-file' },
      { what: expect.stringContaining('snapshot'), until: '2026-01-01T01:00:00.000Z', copy: 'snapshot' },
      { what: expect.stringContaining('entries of a stream'), until: null, copy: 'stream-entries' },
    ]);
    await connector.close();
  });

  test('an erased entry of a stream is in no answer, and in new snapshots: so its receipt says', async () => {
    await using own = await startRedis(['--save', '', '--rdbcompression', 'no']);
    const value = 'only here 5550199';
    await own.run(
      ['XADD', 'events', '1-1', 'user', '7', 'what', value],
      ['XADD', 'events', '1-2', 'user', '8', 'what', '-'],
    );
    const connector = connect(own.url);
    const scope = await located({ connector }, ANN);
    const { residuals } = await erase({ connector }, scope);
    expect((await connector.verify(scope)).remaining).toMatchObject({ events: 0 });
    expect(residuals).toEqual([
      { what: expect.stringContaining('entries of a stream'), until: null, copy: 'stream-entries' },
    ]);
    await own.run(['SAVE']);
    expect(readFileSync(join(own.folder, 'dump.rdb'), 'latin1')).toContain(value);
    await connector.close();
  });

  test('where the settings may not be read, copies are named without a date', async () => {
    await using own = await startRedis();
    await own.run(['ACL', 'SETUSER', 'eraser', 'on', '>secret', '~*', '+@all', '-config'], ...DATA);
    const connector = connect(own.url.replace('//', '//eraser:secret@'));
    const { residuals, counts } = await erase({ connector }, await located({ connector }, ANN));
    expect(counts).toMatchObject({ sessions: 3 });
    expect(residuals).toEqual([
      { what: expect.stringContaining('Snapshots (RDB)'), until: null, copy: 'disk' },
      { what: expect.stringContaining('entries of a stream'), until: null, copy: 'stream-entries' },
    ]);
    await connector.close();
  });

  test('a server on which KEYS and other commands that stop it are forbidden is enough', async () => {
    await using own = await startRedis();
    await own.run(
      [
        'ACL',
        'SETUSER',
        'eraser',
        'on',
        '>secret',
        '~*',
        '+@all',
        '-keys',
        '-smembers',
        '-hgetall',
        '-debug',
      ],
      ...DATA,
    );
    const connector = connect(own.url.replace('//', '//eraser:secret@'));
    expect(await connector.check()).toMatchObject({ ok: true });
    expect((await collect({ connector }, ANN)).evidence.matched).toBe(true);
    const scope = await located({ connector }, ANN);
    expect((await erase({ connector }, scope)).counts).toMatchObject({ sessions: 3, events: 1 });
    expect(Object.values((await connector.verify(scope)).remaining)).toEqual([0, 0, 0, 0]);
    await connector.close();
  });

  test('what the ACL does not let the user do is told at the check, which changes nothing', async () => {
    await using own = await startRedis();
    const rights: readonly (readonly [readonly string[], readonly string[]])[] = [
      [['~*', '+@all', '-config'], []],
      [
        ['~*', '+@read', '+ping', '+info'],
        [
          'UNLINK on the keys of "sessions"',
          'HDEL on the keys of "addresses"',
          'SREM, ZREM, LREM on the keys of "online"',
          'XDEL on the keys of "events"',
        ],
      ],
      [['~session:*', '~basket:*', '~addresses', '~events', '+@all'], ['keys of "online"']],
    ];
    await own.run(...DATA);
    const before = await own.dump();
    for (const [acl, wanted] of rights) {
      await own.run(['ACL', 'SETUSER', 'eraser', 'reset', 'on', '>secret', ...acl]);
      const connector = connect(own.url.replace('//', '//eraser:secret@'));
      const { ok, problems } = await connector.check();
      expect(ok).toBe(wanted.length === 0);
      expect(problems).toEqual(wanted.map((text) => expect.stringContaining(text)));
      await connector.close();
    }
    await own.run(['ACL', 'SETUSER', 'eraser', 'reset', 'on', '>secret']);
    const nothing = connect(own.url.replace('//', '//eraser:secret@'));
    expect(await nothing.check()).toMatchObject({
      ok: false,
      message: expect.stringContaining('ACL has to allow'),
    });
    await nothing.close();
    expect(await own.dump()).toEqual(before);
  });

  test('a user without rights, a wrong password, a replica and a server that is gone are told apart', async () => {
    await using own = await startRedis();
    await own.run(['ACL', 'SETUSER', 'reader', 'on', '>secret', '~*', '+@read', '+ping', '+info'], ...DATA);
    const withUser = (user: string) => connect(own.url.replace('//', `//${user}@`));
    const reader = withUser('reader:secret');
    await expect(
      erase({ connector: reader }, await located({ connector: reader }, ANN)),
    ).rejects.toMatchObject({
      code: 'SYSTEM_REFUSED',
      message: expect.stringContaining('ACL has to allow'),
    });
    const stranger = withUser('reader:wrong');
    expect(await stranger.check()).toMatchObject({ ok: false, message: expect.stringContaining('password') });
    await using replica = await startRedis(['--save', '', '--replicaof', `127.0.0.1 ${own.port}`]);
    const second = connect(replica.url);
    expect(await second.check()).toMatchObject({
      ok: false,
      message: expect.stringContaining('read replica'),
    });
    const connector = connect(own.url);
    expect(await connector.check()).toMatchObject({ ok: true });
    await own.kill();
    await expect(connector.verify(scopeOf(ANN, []))).rejects.toMatchObject({
      code: 'SYSTEM_UNREACHABLE',
      retryable: true,
    });
    expect(JSON.stringify(await connector.check())).not.toContain('secret');
    for (const one of [reader, stranger, second, connector]) await one.close();
  });

  test('a connection that is cut in the middle of an erasure is an error to try again, and a retry ends in the same state', async () => {
    await fill();
    const before = await redis.dump();
    await redis.run(...Array.from({ length: 2_500 }, (_, at) => ['SET', `session:7:more${at}`, 'x']));
    const connector = connect(redis.url);
    const scope = await located({ connector }, ANN);
    const kept = async () =>
      Object.keys(await redis.dump()).filter((key) => key.startsWith('session:7:more')).length;
    let left = 0;
    const cut = {
      ...scope,
      async *keys() {
        for await (const batch of scope.keys()) {
          left = await kept();
          if (left < 2_500) await redis.run(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
          yield batch;
        }
      },
    };
    await expect(connector.erase(cut, 'erase')).rejects.toMatchObject({
      code: 'SYSTEM_UNREACHABLE',
      retryable: true,
    });
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(2_500);
    expect(await kept()).toBeGreaterThan(0);
    const again = await connector.erase({ ...scope, unanswered: true }, 'erase');
    expect(again).toMatchObject({ state: 'done', evidence: { counts: { sessions: 2_503 } } });
    expect((await connector.verify(scope)).remaining).toMatchObject({ sessions: 0 });
    const after = await redis.dump();
    expect(after['session:77:abc']).toEqual(before['session:77:abc']);
    expect(await kept()).toBe(0);
    await connector.close();
  });

  test('it goes on after its connection was cut', async () => {
    await fill();
    const connector = connect(redis.url);
    expect((await collect({ connector }, ANN)).evidence.matched).toBe(true);
    await redis.run(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
    const again = async () => (await collect({ connector }, ANN)).evidence.matched;
    // The first question may meet the cut itself; it is one that may be asked again.
    expect(
      await again().catch(({ retryable }: { retryable?: boolean }) => retryable === true && again()),
    ).toBe(true);
    await connector.close();
  });
});

test('a pattern finds what it names of a person, and never what is another’s', () => {
  const value = fc.stringMatching(/^[a-z0-9:*?[\]\\{}é-]{0,6}$/);
  const separator = fc.constantFrom(':', '-', '/', '|');
  const tail = fc.stringMatching(/^[a-z0-9]{0,4}$/);
  fc.assert(
    fc.property(value, value, separator, tail, (mine, other, between, end) => {
      const pattern = parseKeyPattern(`s${between}{id}${between}*`);
      if ('problem' in pattern) throw new Error(pattern.problem);
      const bytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
      const search = searchFor(pattern, new Map([['id', { values: [bytes(mine)], match: 'exact' }]]));
      if (search?.kind !== 'fitting') throw new Error('It has a star.');
      const keyOf = (whose: string) => bytes(`s${between}${whose}${between}${end}`);
      expect(search.fits.test(keyOf(mine))).toBe(true);
      expect(search.fits.test(keyOf(other))).toBe(mine === other);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ['a{user_id}*', /beside another/],
  ['a{user_id', /brace/],
  ['a{user id}', /no placeholder/],
])('the pattern %s is refused', (text, why) => {
  expect(parseKeyPattern(text)).toEqual({ problem: expect.stringMatching(why) });
});

test.each([
  ['', 5, undefined],
  ['3600 1 300 100', 5, 3_600],
  ['3600 1 300 100', 100, 300],
  ['60 1000', 5, null],
] as const)('with save "%s", %d changes are in a snapshot after %s seconds', (save, changes, seconds) => {
  expect(snapshotAfter(save, changes)).toBe(seconds);
});
