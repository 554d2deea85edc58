import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Asked, startProxy } from '../../../test/aws-proxy.ts';
import { makeContainer, type TestContainer } from '../../../test/azure-container.ts';
import { startVersions } from '../../../test/azure-versions.ts';
import { type AzuriteServer, startAzurite } from '../../../test/azurite-server.ts';
import { collect, erase, located, scopeOf } from '../../../test/connector-contract.ts';
import { openDuckDb } from '../../../test/duckdb.ts';
import {
  ANN,
  connectLakes,
  fillLake,
  id,
  LAKE,
  type LakeOptions,
  testExactErasure,
  testLake,
} from '../../../test/lake.ts';
import { requireProgram } from '../../../test/requirements.ts';
import { createAzureConnector } from './index.ts';

// Servers start and stop; on a busy machine that takes a while.
const program = requireProgram('azurite-blob', '--version');

const { settings, connectWith } = connectLakes<TestContainer>(({ options }) => options);
const connect = (container: TestContainer, options: LakeOptions = {}) =>
  createAzureConnector(settings(container, options));
const { signal } = new AbortController();

const LISTED_VERSION = `<EnumerationResults><Blobs><Blob><Name>avatars/7.png</Name><VersionId>2026-01-01T00:00:00.0000000Z</VersionId>
<IsCurrentVersion>true</IsCurrentVersion><Properties><Etag>0x1</Etag><Content-Length>3</Content-Length></Properties></Blob></Blobs></EnumerationResults>`;

describe.skipIf(program === undefined)('a container of Azure Blob Storage', () => {
  let azurite: AzuriteServer;
  let versions: AzuriteServer;
  beforeAll(async () => {
    azurite = await startAzurite();
    versions = await startVersions(azurite);
    return async () => {
      await versions[Symbol.asyncDispose]();
      await azurite[Symbol.asyncDispose]();
    };
  });

  for (const kept of ['nothing', 'snapshots', 'versions'])
    testLake(`Azure that keeps ${kept}`, async () => {
      const store = await makeContainer(kept === 'versions' ? versions : azurite);
      await fillLake(store);
      if (kept === 'snapshots')
        for (const blob of Object.keys(await store.versions())) await store.snapshot(blob);
      return { store, connector: connect(store) };
    });

  testExactErasure('blobs', async () => {
    const store = await makeContainer(azurite);
    await fillLake(store);
    return { store, connector: connect(store) };
  });

  test('versions that hold the person go, others stay, and deleted blobs leave none', async () => {
    const container = await makeContainer(versions);
    const blob = 'events/date=1/a';
    await container.put(blob, '{"user":{"id":7},"v":1}\n');
    await container.put(blob, '{"user":{"id":77},"v":2}\n');
    await container.put(blob, '{"user":{"id":7},"v":3}\n{"user":{"id":77},"v":3}\n');
    await container.put('avatars/7.png', 'ann');
    await container.put('avatars/7.png', 'ann again');
    await container.put('events/date=1/gone', '{"user":{"id":7}}\n');
    await container.call({ method: 'DELETE', what: 'delete', blob: 'events/date=1/gone', signal });
    expect(Object.keys(await container.versions())).toHaveLength(3);
    const connector = connect(container);
    const scope = await located({ connector }, ANN);
    expect((await erase({ connector }, scope)).counts).toEqual({ events: 3, avatars: 1 });
    expect(await container.versions()).toEqual({
      [blob]: ['{"user":{"id":77},"v":2}\n', '{"user":{"id":77},"v":3}\n'],
    });
    expect((await connector.verify(scope)).remaining).toEqual({ avatars: 0, events: 0, orders: 0 });
  });

  test('older versions are left to the policy of the account where the dataset says so', async () => {
    const container = await makeContainer(versions);
    const blob = 'events/date=1/a';
    await container.put(blob, '{"user":{"id":7}}\n{"user":{"id":77}}\n');
    const dataset = LAKE.replace('json-lines', 'json-lines, old_versions: expire');
    const today = new Date();
    const until = Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() + 31);
    const connector = connect(container, {
      dataset,
      options: { ...container.options, old_version_days: 30 },
    });
    const scope = await located({ connector }, ANN);
    expect((await erase({ connector }, scope)).residuals).toEqual([
      {
        what: expect.stringMatching(/^1 rows of events in older versions/),
        until: new Date(until).toISOString(),
        copy: 'old-versions',
      },
    ]);
    expect((await container.versions())[blob]).toHaveLength(2);
    expect((await connector.verify(scope)).remaining.events).toBe(0);
  });

  test('snapshots that hold the person go, and others stay', async () => {
    const container = await makeContainer(azurite);
    const blob = 'events/date=1/a';
    for (const line of [
      '{"user":{"id":7},"v":1}\n',
      '{"user":{"id":77},"v":2}\n',
      '{"user":{"id":7},"v":3}\n',
    ]) {
      await container.put(blob, line);
      await container.snapshot(blob);
    }
    await container.put(blob, '{"user":{"id":7},"v":4}\n{"user":{"id":77},"v":4}\n');
    await container.put('avatars/7.png', 'ann');
    await container.snapshot('avatars/7.png');
    await container.snapshot('avatars/7.png');
    const connector = connect(container);
    const scope = await located({ connector }, ANN);
    expect((await erase({ connector }, scope)).counts).toEqual({ events: 3, avatars: 1 });
    expect(await container.versions()).toEqual({
      [blob]: ['{"user":{"id":77},"v":2}\n', '{"user":{"id":77},"v":4}\n'],
    });
    expect((await connector.verify(scope)).remaining).toEqual({ avatars: 0, events: 0, orders: 0 });
  });

  test('rows inside Parquet go, from snapshots too, and all others are as they were', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'habeas-azure-'));
    await using duckdb = await openDuckDb();
    const container = await makeContainer(azurite);
    const [before, after] = [join(folder, 'before.parquet'), join(folder, 'after.parquet')];
    await duckdb.run(
      `copy (select i as user_id, 'text ' || i as text from range(5000) t(i)) to '${before}' (format parquet, codec zstd, row_group_size 2048)`,
    );
    await container.put('lake/a.parquet', readFileSync(before), { 'x-ms-meta-job': 'nightly' });
    await container.snapshot('lake/a.parquet');
    const dataset = LAKE.replace('events/date=*/**', 'lake/*.parquet')
      .replace('json-lines', 'parquet')
      .replace('user.id', 'user_id');
    const connector = connect(container, { dataset });
    const people = [...id('0'), ...id('4999')];
    const scope = await located({ connector }, people);
    expect((await erase({ connector }, scope)).counts).toEqual({ events: 4 });
    writeFileSync(after, (await container.get('lake/a.parquet')) ?? '');
    const rows = (file: string, where: string) =>
      duckdb.rows(`select * from '${file}' where ${where} order by user_id`);
    expect(await rows(after, 'true')).toEqual(await rows(before, 'user_id not in (0, 4999)'));
    expect((await container.versions())['lake/a.parquet']).toHaveLength(1);
    expect((await connector.verify(scope)).remaining.events).toBe(0);
    rmSync(folder, { recursive: true });
  });

  test('names of whole blobs are told for what no row names, those of which only versions are left as hidden', async () => {
    const container = await makeContainer(versions);
    await container.put('avatars/7.png', 'ann');
    await container.put('avatars/77.png', 'bob');
    await container.put('events/date=1/a', '{}\n');
    await container.call({ method: 'DELETE', what: 'delete', blob: 'avatars/77.png', signal });
    const connector = connect(container);
    const things = (await Array.fromAsync(connector.named?.read(signal) ?? [])).flatMap((thing) =>
      'closed' in thing ? [] : [[thing.name, thing.isHidden ?? false, thing.readings]],
    );
    expect(things.toSorted()).toEqual([
      ['avatars/7.png', false, [['7']]],
      ['avatars/77.png', true, [['77']]],
    ]);
  });

  test('type, metadata, tags, tier and digest stay, of large blobs in blocks too', async () => {
    const container = await makeContainer(azurite);
    const headers = {
      'x-ms-blob-content-type': 'application/x-ndjson',
      'x-ms-blob-content-encoding': 'identity',
      'x-ms-blob-content-language': 'de',
      'x-ms-blob-content-disposition': 'attachment; filename="a"',
      'x-ms-blob-cache-control': 'no-store',
      'x-ms-meta-NightlyJob': 'run 7',
      'x-ms-access-tier': 'Cool',
      'x-ms-tags': 'team=data&kind=a%20b',
    };
    const others = `{"user":{"id":77},"text":"${'x'.repeat(1_000)}"}\n`;
    for (const [blob, lines] of [
      ['events/date=1/small', 2],
      ['events/date=1/large', 20_000],
    ] as const) {
      await container.put(blob, `{"user":{"id":7}}\n${others.repeat(lines)}`, headers);
      const connector = connect(container);
      expect((await erase({ connector }, await located({ connector }, ANN))).counts).toEqual({ events: 1 });
      expect((await container.get(blob))?.toString() === others.repeat(lines)).toBe(true);
      const now = await container.call({ method: 'HEAD', what: 'look', blob, signal });
      expect(now.headers).toMatchObject({
        'content-type': 'application/x-ndjson',
        'content-encoding': 'identity',
        'content-language': 'de',
        'content-disposition': 'attachment; filename="a"',
        'cache-control': 'no-store',
        'x-ms-access-tier': 'Cool',
        'content-md5': createHash('md5').update(others.repeat(lines)).digest('base64'),
      });
      expect(now.rawHeaders).toContain('x-ms-meta-NightlyJob');
      const tags = await container.call({
        method: 'GET',
        what: 'look',
        blob,
        query: { comp: 'tags' },
        signal,
      });
      expect(tags.body.toString()).toMatch(
        /<Key>team<\/Key><Value>data<\/Value>.*<Key>kind<\/Key><Value>a b</s,
      );
      await connector.close();
    }
  });

  test('a crash between the new blob and the end of the old version is finished by a retry', async () => {
    const container = await makeContainer(versions);
    await fillLake(container);
    const crashing = connectWith(container, () => ({
      remove: () => Promise.reject(new Error('killed')),
    }));
    const scope = await located({ connector: crashing }, ANN);
    await expect(crashing.erase(scope, 'erase')).rejects.toThrow('killed');
    const connector = connect(container);
    expect((await connector.verify(scope)).remaining.orders).toBeGreaterThan(0);
    await erase({ connector }, scope);
    expect((await connector.verify(scope)).remaining).toEqual({ avatars: 0, events: 0, orders: 0 });
    expect((await container.versions())['orders/1.csv']).toEqual(['user_id,what\r\n77,c\r\n']);
  });

  test.each([
    ['in one piece', 1],
    ['in blocks', 20_000],
  ])('what somebody writes while a blob is written anew %s is never lost', async (_, lines) => {
    const container = await makeContainer(azurite);
    const blob = 'events/date=1/a';
    const others = `{"user":{"id":77},"text":"${'x'.repeat(1_000)}"}\n`.repeat(lines);
    await container.put(blob, `{"user":{"id":7},"n":1}\n${others}`);
    let turns = 0;
    const connector = connectWith(container, (store) => ({
      replace: (version, write, ending) =>
        store.replace(
          version,
          async (sink) => {
            await write(sink);
            turns += 1;
            // After everything was read and before the new blob takes its place.
            if (turns === 1) await container.put(blob, `{"user":{"id":7},"n":2}\n${others}{"n":2}\n`);
          },
          ending,
        ),
    }));
    const scope = await located({ connector }, ANN);
    await erase({ connector }, scope);
    expect(turns).toBe(2);
    expect((await container.get(blob))?.toString() === `${others}{"n":2}\n`).toBe(true);
    expect((await connector.verify(scope)).remaining.events).toBe(0);
  });

  test('many people share one pass: each blob is read and written once for all of them', async () => {
    const container = await makeContainer(azurite);
    const people = Array.from({ length: 20 }, (_, at) => id(`${1000 + at}`));
    for (const file of ['a', 'b', 'c'])
      await container.put(
        `events/date=1/${file}`,
        [...people, id('77')].map(([one]) => `{"user":{"id":${one?.value}}}\n`).join(''),
      );
    let written = 0;
    let listed = 0;
    const connector = connectWith(container, (store) => ({
      replace: (...args) => {
        written += 1;
        return store.replace(...args);
      },
      versions: (prefix, ending) => {
        if (prefix === 'events/date=') listed += 1;
        return store.versions(prefix, ending);
      },
    }));
    const scopes = await Promise.all(people.map((person) => located({ connector }, person)));
    expect(listed).toBe(1);
    const erased = await Promise.all(scopes.map((scope) => erase({ connector }, scope)));
    expect(erased.map(({ counts }) => counts)).toEqual(people.map(() => ({ events: 3 })));
    expect(written).toBe(3);
    expect(Object.values(await container.versions())).toEqual(Array(3).fill(['{"user":{"id":77}}\n']));
  });

  test('blocks that nobody made a blob of end when they are old, and young ones are told', async () => {
    const container = await makeContainer(azurite);
    const block = { comp: 'block', blockid: randomBytes(16).toString('base64') };
    for (const blob of ['events/date=1/new', 'other/new'])
      await container.put(blob, '{"user":{"id":7}}\n', {}, block);
    await container.put('events/date=1/empty', '');
    const left = async () => {
      const store = container.store();
      const keys = (await Array.fromAsync(store.uploads('', signal))).map(({ key }) => key);
      store.close();
      return keys.sort();
    };
    const run = async (now: Date) => {
      await container.put('events/date=1/a', '{"user":{"id":7}}\n');
      const dataset = LAKE.replace('json-lines', 'json-lines, abort_uploads_after: 1d');
      const connector = connect(container, {
        dataset,
        now: now.toISOString(),
        // Unlike a key, it signs no time of day.
        options: { sas: container.sas(), soft_delete_days: 0 },
      });
      const evidence = await erase({ connector }, await located({ connector }, ANN));
      await connector.close();
      return evidence;
    };
    const today = new Date();
    const inAWeek = Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() + 8);
    expect((await run(today)).residuals).toEqual([
      {
        what: expect.stringMatching(/^1 unfinished uploads/),
        until: new Date(inAWeek).toISOString(),
        copy: 'unfinished-uploads',
      },
    ]);
    expect(await left()).toEqual(['events/date=1/new', 'other/new']);
    expect((await run(new Date(today.getTime() + 2 * 86_400_000))).residuals).toEqual([]);
    expect(await left()).toEqual(['other/new']);
    expect(Object.keys(await container.versions())).toEqual(['events/date=1/a', 'events/date=1/empty']);
  });

  test('blocks of somebody else beside ours neither stop an erasure nor get into the blob', async () => {
    const container = await makeContainer(azurite);
    const blob = 'events/date=1/a';
    const others = `{"user":{"id":77},"text":"${'x'.repeat(1_000)}"}\n`.repeat(20_000);
    for (const bytes of [48, 5]) {
      await container.put(blob, `{"user":{"id":7}}\n${others}`);
      const blockid = randomBytes(bytes).toString('base64');
      await container.put(blob, 'theirs', {}, { comp: 'block', blockid });
      const connector = connect(container);
      const scope = await located({ connector }, ANN);
      if (bytes < 12) {
        await expect(connector.erase(scope, 'erase')).rejects.toMatchObject({
          code: 'SYSTEM_FAILED',
          retryable: true,
          message: expect.stringMatching(/names of 5 bytes/),
        });
        continue;
      }
      expect((await erase({ connector }, scope)).counts).toEqual({ events: 1 });
      expect((await container.get(blob))?.toString() === others).toBe(true);
    }
  });

  test('what soft delete keeps is told with its date, or that nobody may read it', async () => {
    await using own = await startAzurite();
    const container = await makeContainer(own);
    const now = '2026-03-01T12:00:00Z';
    const setPolicy = (policy: string) =>
      container.call({
        method: 'PUT',
        what: 'set',
        blob: null,
        query: { restype: 'service', comp: 'properties' },
        body: Buffer.from(
          `<?xml version="1.0"?><StorageServiceProperties><DeleteRetentionPolicy>${policy}</DeleteRetentionPolicy></StorageServiceProperties>`,
        ),
        signal,
      });
    const residuals = async (options?: LakeOptions['options']) => {
      await container.put('events/date=1/a', '{"user":{"id":7}}\n');
      const connector = connect(container, { now, ...(options === undefined ? {} : { options }) });
      const scope = await located({ connector }, ANN);
      const told = (await erase({ connector }, scope)).residuals;
      // A retry after an answer that was lost tells the same.
      const again = await erase({ connector }, { ...scope, unanswered: true });
      expect(again).toMatchObject({ counts: { events: 1 }, residuals: told });
      expect((await erase({ connector }, { ...scopeOf(ANN, []), unanswered: true })).residuals).toEqual([]);
      return told;
    };
    await setPolicy('<Enabled>false</Enabled>');
    expect(await residuals()).toEqual([]);
    await setPolicy('<Enabled>true</Enabled><Days>9</Days>');
    expect(await residuals()).toEqual([
      { what: expect.stringMatching(/9 days/), until: '2026-03-10T12:00:00.000Z', copy: 'deleted' },
    ]);
    const sas = container.sas();
    expect(await residuals({ sas })).toEqual([
      { what: expect.stringMatching(/may not read/), until: null, copy: 'deleted' },
    ]);
    expect(await residuals({ sas, soft_delete_days: 3 })).toEqual([
      { what: expect.stringMatching(/3 days/), until: '2026-03-04T12:00:00.000Z', copy: 'deleted' },
    ]);
  });

  test('a signature for the container is enough for all of it', async () => {
    const container = await makeContainer(azurite);
    await fillLake(container);
    const connector = connect(container, { options: { sas: `?${container.sas()}`, soft_delete_days: 0 } });
    expect(await connector.check()).toMatchObject({ ok: true });
    const scope = await located({ connector }, ANN);
    expect(await erase({ connector }, scope)).toMatchObject({
      counts: { avatars: 1, events: 3, orders: 1 },
      residuals: [],
    });
    expect((await connector.verify(scope)).remaining).toEqual({ avatars: 0, events: 0, orders: 0 });
  });

  test('a container that does not let us in says what it refused, and nothing was changed', async () => {
    const container = await makeContainer(azurite);
    await fillLake(container);
    const before = await container.versions();
    const wrong = connect(container, { options: { account_key: Buffer.from('wrong').toString('base64') } });
    expect(await wrong.check()).toMatchObject({
      ok: false,
      message: expect.stringMatching(/let Habeas list its blobs.*403 AuthorizationFailure/),
    });
    await expect(located({ connector: wrong }, ANN)).rejects.toMatchObject({
      code: 'SYSTEM_REFUSED',
      retryable: true,
    });
    const missing = createAzureConnector({ ...settings(container), url: `${container.url}-not` });
    expect(await missing.check()).toMatchObject({
      ok: false,
      message: expect.stringMatching(/404 ContainerNotFound/),
    });
    expect(await container.versions()).toEqual(before);
  });

  test.each([
    ['rl', [/delete a blob \(d\).*403/, /write a blob \(w\).*403/, /read the tags of a blob \(t\).*403/]],
    ['rlcw', [/delete a blob \(d\).*403/, /read the tags of a blob \(t\).*403/]],
    ['rlcwd', [/read the tags of a blob \(t\).*403/]],
    ['lcwdxt', [/read a blob \(r\).*403/]],
    ['rlcwdxt', []],
  ])('a signature for %s is checked for what it may not do, and nothing is changed', async (may, lacks) => {
    const container = await makeContainer(azurite);
    await fillLake(container);
    const before = await container.versions();
    const health = await connect(container, { options: { sas: container.sas(may) } }).check();
    expect(health).toMatchObject({
      ok: lacks.length === 0,
      message: expect.stringMatching(lacks.length === 0 ? /Not probed: ending unfinished/ : /does not let/),
    });
    expect(health.problems).toEqual(lacks.map((lack) => expect.stringMatching(lack)));
    expect(await container.versions()).toEqual(before);
  });

  test('writing tags and, where there are versions, deleting one are tried as well, and nothing is changed', async () => {
    const container = await makeContainer(azurite);
    await fillLake(container);
    const before = await container.versions();
    const version = { status: 200, body: LISTED_VERSION };
    let isVersioned = false;
    await using between = await startProxy(azurite.url, ({ method, query, headers }) => {
      if (isVersioned && query.get('comp') === 'list') return version;
      return 'x-ms-tags' in headers || (method === 'DELETE' && query.has('versionid'))
        ? { status: 403, code: 'AuthorizationPermissionMismatch' }
        : undefined;
    });
    const connector = createAzureConnector({
      ...settings(container, { options: { sas: container.sas() } }),
      url: container.url.replace(azurite.url, between.url),
    });
    const tags = expect.stringMatching(/write the tags of a blob \(t\).*403/);
    expect(await connector.check()).toMatchObject({ ok: false, problems: [tags] });
    isVersioned = true;
    expect(await connector.check()).toMatchObject({
      ok: false,
      problems: [expect.stringMatching(/delete a version of a blob \(x\).*403/), tags],
    });
    expect(await container.versions()).toEqual(before);
  });

  test('a blob under a lease, and rows in an append blob, are left as they are', async () => {
    const container = await makeContainer(azurite);
    const blob = 'events/date=1/a';
    const row = '{"user":{"id":7}}\n';
    await container.put(blob, row);
    const lease = { 'x-ms-lease-action': 'acquire', 'x-ms-lease-duration': '-1' };
    await container.put(blob, '', lease, { comp: 'lease' });
    const connector = connect(container);
    await expect(connector.erase(await located({ connector }, ANN), 'erase')).rejects.toMatchObject({
      code: 'SYSTEM_FAILED',
      retryable: true,
      message: expect.stringMatching(/lease/),
    });
    await container.put(blob, '', { 'x-ms-lease-action': 'break' }, { comp: 'lease' });
    await container.put('events/date=1/log', '', { 'x-ms-blob-type': 'AppendBlob' });
    await container.put('events/date=1/log', row, {}, { comp: 'appendblock' });
    const scope = await located({ connector }, ANN);
    await expect(connector.erase(scope, 'erase')).rejects.toMatchObject({
      code: 'SYSTEM_REFUSED',
      message: expect.stringMatching(/append or page blob/),
    });
    expect((await container.get('events/date=1/log'))?.toString()).toBe(row);
  });

  test.each([
    [{ 'x-ms-immutability-policy-until-date': 'Sun, 01 Jan 2090 00:00:00 GMT' }, '2090-01-01T00:00:00.000Z'],
    [{ 'x-ms-legal-hold': 'true' }, null],
  ])('a version that %j holds stays, and what is latest is written anew', async (held, until) => {
    await using holding = await startVersions(
      azurite,
      ({ query }): Readonly<Record<string, string>> =>
        query.restype === 'container' ? { 'x-ms-immutable-storage-with-versioning-enabled': 'true' } : held,
    );
    const container = await makeContainer(holding);
    const blob = 'events/date=1/a';
    await container.put(blob, '{"user":{"id":7}}\n{"user":{"id":77}}\n');
    const connector = connect(container);
    const scope = await located({ connector }, ANN);
    const evidence = await erase({ connector }, scope);
    expect(evidence.counts).toEqual({ events: 1 });
    const retained = [{ collection: 'events', count: 1, reason: expect.stringMatching(/legal hold/), until }];
    expect(evidence.retained).toEqual(retained);
    expect((await container.versions())[blob]).toEqual([
      '{"user":{"id":7}}\n{"user":{"id":77}}\n',
      '{"user":{"id":77}}\n',
    ]);
    const { remaining, retained: still } = await connector.verify(scope);
    expect(remaining).toEqual({ avatars: 0, events: 0, orders: 0 });
    expect(still).toEqual(retained);
    await connector.close();
  });

  test.each(['x-ms-has-immutability-policy', 'x-ms-has-legal-hold'])(
    'a container of which %s keeps all',
    async (header) => {
      await using holding = await startVersions(
        azurite,
        ({ query }): Readonly<Record<string, string>> =>
          query.restype === 'container' ? { [header]: 'true' } : {},
      );
      const container = await makeContainer(holding);
      await fillLake(container);
      const before = await container.versions();
      const connector = connect(container);
      const scope = await located({ connector }, ANN);
      const { counts, retained } = await erase({ connector }, scope);
      expect([counts, retained.map(({ count, until }) => [count, until])]).toEqual([
        {},
        [
          [1, null],
          [3, null],
          [1, null],
        ],
      ]);
      expect(await container.versions()).toEqual(before);
      await connector.close();
    },
  );

  test('a container that is held as a whole keeps it all, and says so', async () => {
    const container = await makeContainer(azurite);
    await fillLake(container);
    const before = await container.versions();
    const connector = connectWith(container, () => ({
      lockOf: async () => ({ until: null, holdsLatest: true }),
    }));
    const scope = await located({ connector }, ANN);
    const evidence = await erase({ connector }, scope);
    expect(evidence.counts).toEqual({});
    const { remaining, retained } = await connector.verify(scope);
    expect(remaining).toEqual({ avatars: 0, events: 0, orders: 0 });
    expect(retained.map(({ collection, count }) => [collection, count])).toEqual([
      ['avatars', 1],
      ['events', 3],
      ['orders', 1],
    ]);
    expect(await container.versions()).toEqual(before);
  });

  test('blobs in the archive are told as what nobody could look through', async () => {
    const container = await makeContainer(azurite);
    await container.put('events/date=1/a', '{"user":{"id":7}}\n', { 'x-ms-access-tier': 'Archive' });
    await container.put('events/date=1/b', '{"user":{"id":7}}\n');
    const connector = connect(container);
    const { counts, residuals } = await erase({ connector }, await located({ connector }, ANN));
    expect(counts).toEqual({ events: 1 });
    expect(residuals).toEqual([
      {
        what: expect.stringMatching(/^1 versions of objects of events lie in an archive/),
        until: null,
        copy: 'archive',
      },
    ]);
  });

  test('an account that is busy is asked again', async () => {
    const container = await makeContainer(azurite);
    await fillLake(container);
    let turn = 0;
    await using between = await startProxy(azurite.url, ({ method }: Asked) => {
      turn += 1;
      return turn % 3 === 0 && method !== 'HEAD' ? { status: 503, code: 'ServerBusy' } : undefined;
    });
    const url = container.url.replace(azurite.url, between.url);
    const busy = createAzureConnector({ ...settings(container, { options: { sas: container.sas() } }), url });
    expect((await erase({ connector: busy }, await located({ connector: busy }, ANN))).counts).toEqual({
      avatars: 1,
      events: 3,
      orders: 1,
    });
  });

  test('an account that goes away while a blob is written anew leaves the old one whole, and a retry erases', async () => {
    const container = await makeContainer(azurite);
    await fillLake(container);
    const key = 'orders/1.csv';
    const before = await container.versions();
    let isGone: boolean | undefined;
    await using between = await startProxy(azurite.url, ({ method, path }: Asked) => {
      if (method === 'PUT' && path.endsWith(key)) isGone ??= true;
      return isGone === true ? 'cut' : undefined;
    });
    const connector = createAzureConnector({
      ...settings(container, { options: { sas: container.sas() } }),
      url: container.url.replace(azurite.url, between.url),
    });
    const scope = await located({ connector }, ANN);
    await expect(connector.erase(scope, 'erase')).rejects.toMatchObject({
      code: 'SYSTEM_UNREACHABLE',
      retryable: true,
    });
    expect(isGone).toBe(true);
    expect((await connector.check()).ok).toBe(false);
    expect((await container.versions())[key]).toEqual(before[key]);
    isGone = false;
    const again = await connector.erase({ ...scope, unanswered: true }, 'erase');
    expect(again).toMatchObject({
      state: 'done',
      evidence: { counts: { avatars: 1, events: 3, orders: 1 } },
    });
    expect((await connector.verify(scope)).remaining).toEqual({ avatars: 0, events: 0, orders: 0 });
    expect((await container.get(key))?.toString()).toBe('user_id,what\r\n77,c\r\n');
    await connector.close();
  });

  test('what is given says where each row stands', async () => {
    const container = await makeContainer(azurite);
    await container.put('events/date=1/a', '{"user":{"id":7},"n":1}\n');
    await container.snapshot('events/date=1/a');
    await container.put('events/date=1/a', '{"user":{"id":7},"n":2}\n');
    const { items, evidence } = await collect({ connector: connect(container) }, ANN);
    expect(items).toEqual([
      { collection: 'events', row: { object: 'events/date=1/a', row: { user: { id: 7 }, n: 2 } } },
    ]);
    expect(evidence.notes).toEqual([expect.stringMatching(/^1 rows of events stand in versions/)]);
  });

  test.each([
    ['url', { url: 'https://acme.blob.core.windows.net' }, /`url` is the address of the container/],
    ['key', { options: {} }, /either `account_key` or `sas`/],
    ['option', { options: { sas: 'sv=1', region: 'x' } }, /region/],
  ])('a wrong %s is told when the connection is made', async (_, wrong, message) => {
    const container = await makeContainer(azurite);
    expect(() => createAzureConnector({ ...settings(container), ...wrong })).toThrow(message);
  });
});
