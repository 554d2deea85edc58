import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Asked, startProxy } from '../../../test/aws-proxy.ts';
import { collect, erase, located, scopeOf } from '../../../test/connector-contract.ts';
import { openDuckDb } from '../../../test/duckdb.ts';
import {
  ANN,
  BOB,
  connectLakes,
  fillLake,
  id,
  LAKE,
  type LakeOptions,
  testExactErasure,
  testLake,
} from '../../../test/lake.ts';
import { type MotoServer, startMoto } from '../../../test/moto-server.ts';
import { requireProgram } from '../../../test/requirements.ts';
import { makeBucket, S3_OPTIONS, type TestBucket } from '../../../test/s3-bucket.ts';
import { createS3Connector } from './index.ts';
import { createObjectsConnector } from './objects-connector.ts';

const program = requireProgram('moto_server', '--help');

const { settings, connectWith } = connectLakes<TestBucket>(() => S3_OPTIONS);
const connect = (bucket: TestBucket, options: LakeOptions = {}) =>
  createS3Connector(settings(bucket, options));
const { signal } = new AbortController();

describe.skipIf(program === undefined)('a bucket of S3', () => {
  let moto: MotoServer;
  beforeAll(async () => {
    moto = await startMoto();
    return () => moto[Symbol.asyncDispose]();
  });

  for (const versioning of [false, true]) {
    const name = versioning ? 'S3 with versions' : 'S3 without versions';
    const open = async () => {
      const store = await makeBucket(moto, { versioning });
      await fillLake(store);
      return { store, connector: connect(store) };
    };
    testLake(name, open);
    testExactErasure(name, open);
  }

  test('older versions that hold the person go, others stay, and so do delete markers', async () => {
    const bucket = await makeBucket(moto, { versioning: true });
    const key = 'events/date=1/a';
    await bucket.put(key, '{"user":{"id":7},"v":1}\n');
    await bucket.put(key, '{"user":{"id":77},"v":2}\n');
    await bucket.put(key, '{"user":{"id":7},"v":3}\n{"user":{"id":77},"v":3}\n');
    await bucket.remove(key);
    await bucket.put('avatars/7.png', 'ann');
    await bucket.remove('avatars/7.png');
    const connector = connect(bucket);
    const scope = await located({ connector }, ANN);
    expect((await erase({ connector }, scope)).counts).toEqual({ events: 2, avatars: 1 });
    expect(await bucket.versions()).toEqual({ [key]: ['{"user":{"id":77},"v":2}\n', null] });
    expect((await connector.verify(scope)).remaining).toEqual({ avatars: 0, events: 0, orders: 0 });
  });

  test('type, metadata, tags and storage class stay, of large objects in parts too', async () => {
    const bucket = await makeBucket(moto, { versioning: true });
    const headers = {
      'content-type': 'application/x-ndjson',
      'content-encoding': 'identity',
      'cache-control': 'no-store',
      'x-amz-meta-job': 'nightly 7',
      'x-amz-storage-class': 'STANDARD_IA',
      'x-amz-tagging': 'team=data&kind=a%20b',
      'x-amz-grant-read': 'uri="http://acs.amazonaws.com/groups/global/AllUsers"',
    };
    const line = `{"user":{"id":77},"text":"${'x'.repeat(1_000)}"}\n`;
    for (const [key, lines] of [
      ['events/date=1/small', 2],
      ['events/date=1/large', 20_000],
    ] as const) {
      const others = line.repeat(lines);
      await bucket.put(key, `{"user":{"id":7}}\n${others}`, headers);
      const connector = connect(bucket);
      expect((await erase({ connector }, await located({ connector }, ANN))).counts).toEqual({ events: 1 });
      const { headers: now, body } = await bucket.call({
        method: 'GET',
        what: 'look',
        key,
        maxBytes: 1 << 28,
        signal,
      });
      expect(body.toString() === others).toBe(true);
      const { 'x-amz-tagging': _, 'x-amz-grant-read': __, ...kept } = headers;
      const acl = await bucket.call({ method: 'GET', what: 'look', key, query: { acl: '' }, signal });
      expect(acl.body.toString()).toMatch(/AllUsers<\/URI>.*<Permission>READ</s);
      expect(now).toMatchObject(kept);
      const tags = await bucket.call({ method: 'GET', what: 'look', key, query: { tagging: '' }, signal });
      expect(tags.body.toString()).toMatch(
        /<Key>team<\/Key><Value>data<\/Value>.*<Key>kind<\/Key><Value>a b<\/Value>/s,
      );
      expect((await bucket.versions())[key]?.length).toBe(1);
      await connector.close();
    }
  });

  test('a process that is killed between the new version and the end of the old one is finished by a retry', async () => {
    const bucket = await makeBucket(moto, { versioning: true });
    await fillLake(bucket);
    const connector = connect(bucket);
    const scope = await located({ connector }, ANN);
    const before = await bucket.versions();
    let child: ChildProcess | undefined;
    await using between = await startProxy(moto.url, ({ method, path }: Asked) => {
      if (method !== 'DELETE' || !path.includes('/orders/')) return undefined;
      child?.kill('SIGKILL');
      return 'cut';
    });
    child = spawn(process.execPath, [join(import.meta.dirname, '../../../test/erase-lake-process.ts')], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    const gone = once(child, 'exit');
    const keys = await Array.fromAsync(scope.keys());
    const url = `${between.url}/${bucket.name}`;
    child.stdin?.end(JSON.stringify({ url, dataset: LAKE, identities: ANN, keys }));
    expect(await gone).toEqual([null, 'SIGKILL']);
    const key = 'orders/1.csv';
    expect((await bucket.versions())[key]).toEqual([...(before[key] ?? []), 'user_id,what\r\n77,c\r\n']);
    expect((await connector.verify(scope)).remaining.orders).toBe(1);
    await erase({ connector }, { ...scope, unanswered: true });
    expect((await connector.verify(scope)).remaining).toEqual({ avatars: 0, events: 0, orders: 0 });
    const after = await bucket.versions();
    expect(after[key]).toEqual(['user_id,what\r\n77,c\r\n']);
    expect(Object.values(after).every((texts) => texts.length === 1)).toBe(true);
    await connector.close();
  });

  test.each([false, true])(
    'what somebody writes while an object is written anew is never lost; versions: %s',
    async (versioning) => {
      const bucket = await makeBucket(moto, { versioning });
      const key = 'events/date=1/a';
      await bucket.put(key, '{"user":{"id":7},"n":1}\n{"user":{"id":77},"n":1}\n');
      let turns = 0;
      const connector = connectWith(bucket, (store) => ({
        replace: (version, write, ending) =>
          store.replace(
            version,
            async (sink) => {
              await write(sink);
              turns += 1;
              // After everything was read and before the new version takes its place.
              if (turns === 1) await bucket.put(key, '{"user":{"id":7},"n":2}\n{"user":{"id":77},"n":2}\n');
            },
            ending,
          ),
      }));
      const scope = await located({ connector }, ANN);
      await erase({ connector }, scope);
      expect(turns).toBe(2);
      expect((await bucket.get(key))?.toString()).toBe('{"user":{"id":77},"n":2}\n');
      expect((await connector.verify(scope)).remaining.events).toBe(0);
    },
  );

  test('an object that is replaced again and again is left to a later try', async () => {
    const bucket = await makeBucket(moto);
    const key = 'events/date=1/a';
    await bucket.put(key, '{"user":{"id":7}}\n');
    let turn = 0;
    const connector = connectWith(bucket, (store) => ({
      replace: (version, write, ending) =>
        store.replace(
          version,
          async (sink) => {
            await write(sink);
            turn += 1;
            await bucket.put(key, `{"user":{"id":7},"n":${turn}}\n`);
          },
          ending,
        ),
    }));
    await expect(connector.erase(await located({ connector }, ANN), 'erase')).rejects.toMatchObject({
      code: 'SYSTEM_FAILED',
      retryable: true,
    });
    expect((await bucket.get(key))?.toString()).toBe('{"user":{"id":7},"n":4}\n');
  });

  test('many people share one pass: each object is read and written once for all of them', async () => {
    const bucket = await makeBucket(moto);
    const people = Array.from({ length: 20 }, (_, at) => id(`${1000 + at}`));
    for (const file of ['a', 'b', 'c'])
      await bucket.put(
        `events/date=1/${file}`,
        [...people, id('77')].map(([one]) => `{"user":{"id":${one?.value}}}\n`).join(''),
      );
    let written = 0;
    let listed = 0;
    const asked: string[] = [];
    const connector = connectWith(bucket, (store) => ({
      rules: (ending) => {
        asked.push('rules');
        return store.rules(ending);
      },
      uploads: (prefix, ending) => {
        asked.push(`uploads to ${prefix}`);
        return store.uploads(prefix, ending);
      },
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
    expect(asked).toEqual(['rules', 'uploads to events/date=']);
    expect(Object.values(await bucket.versions())).toEqual(Array(3).fill(['{"user":{"id":77}}\n']));
  });

  test('an object that did not change is read once from the search to the last reading, for all people together', async () => {
    const bucket = await makeBucket(moto, { versioning: true });
    const files = Array.from({ length: 12 }, (_, at) => `events/date=1/${at}`);
    const people = files.slice(0, 5).map((_, at) => id(`${1000 + at}`));
    for (const [at, file] of files.entries())
      await bucket.put(file, `{"user":{"id":77},"n":${at}}\n{"user":{"id":${1000 + at}}}\n`);
    const read: string[] = [];
    const connector = connectWith(bucket, (store) => ({
      open(version, ending) {
        read.push(version.key);
        return store.open(version, ending);
      },
    }));
    const step = async <Result>(act: (who: number) => Promise<Result>) => {
      read.length = 0;
      const results = await Promise.all(people.map((_, who) => act(who)));
      return { results, read: read.length };
    };
    const found = await step((who) => located({ connector }, people[who] ?? []));
    const scopeFor = (who: number) => found.results[who] ?? scopeOf([], []);
    const erased = await step((who) => erase({ connector }, scopeFor(who)));
    expect(erased.results.map(({ counts }) => counts)).toEqual(people.map(() => ({ events: 1 })));
    // Somebody writes an object anew in the meantime: it is looked at again.
    await bucket.put(files[11] ?? '', '{"user":{"id":1000}}\n');
    const verified = await step((who) => connector.verify(scopeFor(who)));
    const ones = (first: number) => people.map((_, who) => (who === 0 ? first : 0));
    expect(verified.results.map(({ remaining }) => remaining.events)).toEqual(ones(1));
    await bucket.put(files[11] ?? '', '{"user":{"id":77}}\n');
    const confirmed = await step((who) => connector.verify(scopeFor(who)));
    // The version that somebody wrote and replaced is still there, and is read each time until it has nothing of anybody.
    expect(confirmed.results.map(({ remaining }) => remaining.events)).toEqual(ones(1));
    // Each of the five is written anew, and what was the latest version is looked at before it goes.
    expect([found, erased, verified, confirmed].map((one) => one.read)).toEqual([12, 10, 6, 2]);
    // Who was not asked for before has everything looked through.
    const other = await step(async (who) => who > 0 || (await located({ connector }, id('1010'))));
    expect(other.read).toBe(14);
  });

  test('what stays by a duty is counted for many people in one pass', async () => {
    const bucket = await makeBucket(moto);
    const people = Array.from({ length: 8 }, (_, at) => id(`${1000 + at}`));
    await bucket.put('events/date=1/a', people.map(([one]) => `{"user":{"id":${one?.value}}}\n`).join(''));
    const dataset = LAKE.replace(
      'on_erase: delete, objects: { key: "events',
      'on_erase: { keep: { reason: an audit, until: 2040-01-01 } }, objects: { key: "events',
    );
    expect(dataset).not.toBe(LAKE);
    const store = bucket.store();
    let opened = 0;
    const connector = createObjectsConnector(settings(bucket, { dataset }), {
      ...store,
      open: (...args) => {
        opened += 1;
        return store.open(...args);
      },
    });
    const verified = await Promise.all(people.map((person) => connector.verify(scopeOf(person, []))));
    expect(verified.map(({ retained }) => retained)).toEqual(
      people.map(() => [{ collection: 'events', count: 1, reason: 'an audit', until: '2040-01-01' }]),
    );
    expect(opened).toBe(1);
  });

  test('versions that the bucket locks stay until their date, and are told', async () => {
    const bucket = await makeBucket(moto, { locks: true });
    const until = '2090-01-01T00:00:00Z';
    const lock = { 'x-amz-object-lock-mode': 'COMPLIANCE', 'x-amz-object-lock-retain-until-date': until };
    await bucket.put('events/date=1/a', '{"user":{"id":7}}\n{"user":{"id":77}}\n', lock);
    await bucket.put('avatars/7.png', 'ann', lock);
    const connector = connect(bucket);
    const scope = await located({ connector }, ANN);
    const evidence = await erase({ connector }, scope);
    expect(evidence.counts).toEqual({ events: 1 });
    const locked = { count: 1, reason: expect.stringMatching(/locks/), until: '2090-01-01T00:00:00.000Z' };
    expect(evidence.retained).toEqual([
      { collection: 'avatars', ...locked },
      { collection: 'events', ...locked },
    ]);
    expect((await bucket.get('events/date=1/a'))?.toString()).toBe('{"user":{"id":77}}\n');
    const { remaining, retained } = await connector.verify(scope);
    expect(remaining).toEqual({ avatars: 0, events: 0, orders: 0 });
    expect(retained).toEqual(evidence.retained);
  });

  test('what ends by the bucket’s own rules is told with its date', async () => {
    const bucket = await makeBucket(moto, { versioning: true });
    await bucket.put(
      '',
      `<LifecycleConfiguration><Rule><ID>a</ID><Filter><Prefix>events/</Prefix></Filter><Status>Enabled</Status>
       <NoncurrentVersionExpiration><NoncurrentDays>30</NoncurrentDays></NoncurrentVersionExpiration></Rule>
       <Rule><ID>b</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>
       <AbortIncompleteMultipartUpload><DaysAfterInitiation>3</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>`,
      {},
      { lifecycle: '' },
    );
    const key = 'events/date=1/a';
    await bucket.put(key, '{"user":{"id":7}}\n{"user":{"id":77}}\n');
    await bucket.call({
      method: 'POST',
      what: 'begin',
      key: 'events/date=1/new',
      query: { uploads: '' },
      signal,
    });
    const today = new Date();
    const midnight = (days: number) =>
      new Date(
        Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() + 1 + days),
      ).toISOString();
    const connector = connect(bucket, {
      dataset: LAKE.replace(
        'format: json-lines',
        'format: json-lines, old_versions: expire, abort_uploads_after: 100y',
      ),
    });
    const scope = await located({ connector }, ANN);
    const { residuals, effects } = await erase({ connector }, scope);
    expect(residuals).toEqual([
      {
        what: expect.stringMatching(/1 rows of events in older versions/),
        until: midnight(30),
        copy: 'old-versions',
      },
      // The server says of every upload that it was begun on 10 November 2010.
      {
        what: expect.stringMatching(/1 unfinished uploads/),
        until: '2010-11-14T00:00:00.000Z',
        copy: 'unfinished-uploads',
      },
    ]);
    expect(effects?.events).toEqual({ found: 2, erased: 1, masked: 0, kept: 1, level: 'logical' });
    expect((await bucket.versions())[key]?.length).toBe(2);
    expect((await connector.verify(scope)).remaining.events).toBe(0);
    // The same after an answer that was lost: what was the latest version stays as an older one, and was erased all the same.
    expect(await erase({ connector }, { ...scope, unanswered: true })).toMatchObject({ effects, residuals });
  });

  test('a retry counts each row once, also where others had the object written anew since it was located', async () => {
    const bucket = await makeBucket(moto, { versioning: true });
    const key = 'events/date=1/a';
    await bucket.put(key, '{"user":{"id":7}}\n{"user":{"id":7}}\n{"user":{"id":77}}\n');
    const connector = connect(bucket);
    const scope = await located({ connector }, ANN);
    await erase({ connector }, await located({ connector }, BOB));
    const retry = { ...scope, unanswered: true } as const;
    expect((await erase({ connector }, retry)).counts).toEqual({ events: 2 });
    expect((await erase({ connector }, retry)).counts).toEqual({ events: 2 });
    expect((await bucket.versions())[key]).toEqual(['']);
  });

  test('an upload that nobody finished is aborted when it is old, and a young one stays', async () => {
    const bucket = await makeBucket(moto);
    await bucket.put('events/date=1/a', '{"user":{"id":7}}\n');
    for (const key of ['events/date=1/new', 'other/new'])
      await bucket.call({ method: 'POST', what: 'begin', key, query: { uploads: '' }, signal });
    const left = async () => {
      const store = bucket.store();
      const keys = (await Array.fromAsync(store.uploads('', signal))).map(({ key }) => key);
      store.close();
      return keys.sort();
    };
    // The server says of every upload that it was begun on 10 November 2010.
    const young = connect(bucket, {
      dataset: LAKE.replace('format: json-lines', 'format: json-lines, abort_uploads_after: 100y'),
    });
    const scope = await located({ connector: young }, ANN);
    await erase({ connector: young }, scope);
    expect(await left()).toEqual(['events/date=1/new', 'other/new']);
    await bucket.put('events/date=1/a', '{"user":{"id":7}}\n');
    await erase({ connector: connect(bucket) }, scope);
    expect(await left()).toEqual(['other/new']);
  });

  test('a table of Delta Lake, Iceberg or Hudi is left alone', async () => {
    for (const mark of [
      'events/_delta_log/0.json',
      'events/.hoodie/hoodie.properties',
      'metadata/v1.metadata.json',
    ]) {
      const bucket = await makeBucket(moto);
      await bucket.put('events/date=1/a', '{"user":{"id":7}}\n');
      await bucket.put(mark, '{}');
      const connector = connect(bucket);
      await expect(located({ connector }, ANN)).rejects.toMatchObject({
        code: 'SCHEMA_MISMATCH',
        message: expect.stringMatching(/belong to a table/),
      });
    }
  });

  test('rows inside Parquet go, whatever packs them, and from every version', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'habeas-s3-'));
    await using duckdb = await openDuckDb();
    const bucket = await makeBucket(moto, { versioning: true });
    const codecs = ['snappy', 'zstd', 'gzip', 'uncompressed'];
    await bucket.put('lake/_SUCCESS.parquet', '');
    for (const codec of codecs) {
      const file = join(folder, `${codec}.parquet`);
      await duckdb.run(
        `copy (select i as user_id, 'text ' || i as text from range(5000) t(i)) to '${file}' (format parquet, codec ${codec}, row_group_size 2048)`,
      );
      for (let version = 0; version < 2; version += 1)
        await bucket.put(`lake/${codec}.parquet`, readFileSync(file), { 'x-amz-meta-codec': codec });
    }
    const dataset = `
dataset:
  - fides_key: lake
    collections:
      - name: people
        habeas: { on_erase: delete, objects: { key: "lake/*.parquet", format: parquet } }
        fields:
          - { name: user_id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
`;
    const connector = connect(bucket, { dataset });
    const people = [...id('0'), ...id('4999')];
    const { items } = await collect({ connector }, people);
    expect(items).toHaveLength(2 * codecs.length);
    const scope = await located({ connector }, people);
    expect((await erase({ connector }, scope)).counts).toEqual({ people: 4 * codecs.length });
    for (const codec of codecs) {
      const file = join(folder, `${codec}-erased.parquet`);
      const { headers, body } = await bucket.call({
        method: 'GET',
        what: 'look',
        key: `lake/${codec}.parquet`,
        signal,
      });
      expect(headers['x-amz-meta-codec']).toBe(codec);
      writeFileSync(file, body);
      expect(await duckdb.rows(`select * from '${file}' order by user_id`)).toEqual(
        await duckdb.rows(
          `select * from '${join(folder, `${codec}.parquet`)}' where user_id not in (0, 4999) order by user_id`,
        ),
      );
    }
    const counts = Object.values(await bucket.versions()).map((versions) => versions.length);
    expect(counts).toEqual([1, 1, 1, 1, 1]);
    expect((await connector.verify(scope)).remaining).toEqual({ people: 0 });
    rmSync(folder, { recursive: true });
  });

  test('rows are masked where the dataset says so', async () => {
    const bucket = await makeBucket(moto);
    await bucket.put(
      'events/date=1/a',
      '{"email":"ann@example.com","user":{"id":7},"n":1}\n{"user":{"id":77}}\n',
    );
    const dataset = `
dataset:
  - fides_key: lake
    collections:
      - name: events
        habeas: { on_erase: { mask: { strategy: hash } }, objects: { key: "events/**", format: json-lines } }
        fields:
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: user.id, data_categories: [user.unique_id] }
`;
    const connector = connect(bucket, { dataset });
    const scope = await located({ connector }, ANN);
    const { effects } = await erase({ connector }, scope);
    expect(effects?.events).toEqual({ found: 1, erased: 0, masked: 1, kept: 0, level: 'logical' });
    expect((await bucket.get('events/date=1/a'))?.toString()).toMatch(
      /^\{"email":"erased-[0-9a-f]{20}","user":\{"id":"erased-[0-9a-f]{20}"\},"n":1\}\n\{"user":\{"id":77\}\}\n$/,
    );
    expect((await connector.verify(scope)).remaining).toEqual({ events: 0 });
  });

  test('identities that name a person only together have to stand in one row', async () => {
    const bucket = await makeBucket(moto);
    await bucket.put('e/a', '{"t":"x","u":7}\n{"t":"y","u":7}\n{"t":"x","u":8}\n');
    const dataset = `
dataset:
  - fides_key: lake
    collections:
      - name: events
        habeas: { on_erase: delete, objects: { key: "e/*", format: json-lines, together: [[t, u]] } }
        fields:
          - { name: t, data_categories: [user.unique_id], fides_meta: { identity: tenant_id } }
          - { name: u, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
`;
    const connector = connect(bucket, { dataset });
    await expect(located({ connector }, id('7'))).rejects.toMatchObject({
      message: expect.stringMatching(/has no tenant_id/),
    });
    await erase({ connector }, await located({ connector }, [...id('7'), ...id('x', 'tenant_id')]));
    expect((await bucket.get('e/a'))?.toString()).toBe('{"t":"y","u":7}\n{"t":"x","u":8}\n');
  });

  test('what is given says where each row stands', async () => {
    const bucket = await makeBucket(moto, { versioning: true });
    await bucket.put('events/date=1/a', '{"user":{"id":7},"n":12345678901234567890}\n');
    await bucket.put('events/date=1/a', '{"user":{"id":7},"n":2}\n');
    await bucket.put('avatars/7.png', 'old');
    await bucket.put('avatars/7.png', 'new');
    const { items, evidence } = await collect({ connector: connect(bucket) }, ANN);
    expect(items.filter(({ collection }) => collection === 'events').map(({ row }) => row)).toEqual([
      { object: 'events/date=1/a', row: { user: { id: 7 }, n: 2 } },
    ]);
    const texts = items.filter(({ collection }) => collection === 'avatars').map(({ row }) => row.text);
    expect(texts.sort()).toEqual(['new', 'old']);
    expect(evidence.notes).toEqual([
      '1 rows of events stand in versions that are not the latest; they are not handed over.',
    ]);
  });

  test.each([false, true])(
    'a store that goes away while an object is written anew leaves the old one whole, and a retry erases; versions: %s',
    async (versioning) => {
      const bucket = await makeBucket(moto, { versioning });
      await fillLake(bucket);
      const key = 'orders/1.csv';
      const before = await bucket.versions();
      let isGone: boolean | undefined;
      await using between = await startProxy(moto.url, ({ method, path }: Asked) => {
        if (method === 'PUT' && path.endsWith(key)) isGone ??= true;
        return isGone === true ? 'cut' : undefined;
      });
      const connector = createS3Connector({ ...settings(bucket), url: `${between.url}/${bucket.name}` });
      const scope = await located({ connector }, ANN);
      await expect(connector.erase(scope, 'erase')).rejects.toMatchObject({
        code: 'SYSTEM_UNREACHABLE',
        retryable: true,
      });
      expect(isGone).toBe(true);
      expect((await connector.check()).ok).toBe(false);
      expect((await bucket.versions())[key]).toEqual(before[key]);
      isGone = false;
      const again = await connector.erase({ ...scope, unanswered: true }, 'erase');
      expect(again).toMatchObject({
        state: 'done',
        evidence: { counts: { avatars: 1, events: 3, orders: 1 } },
      });
      expect((await connector.verify(scope)).remaining).toEqual({ avatars: 0, events: 0, orders: 0 });
      expect((await bucket.get(key))?.toString()).toBe('user_id,what\r\n77,c\r\n');
      await connector.close();
    },
  );

  test('a store that goes away before the old version has gone is tried again, and a retry removes it', async () => {
    const bucket = await makeBucket(moto, { versioning: true });
    const key = 'orders/1.csv';
    await bucket.put(key, 'user_id,what\r\n7,a\r\n77,c\r\n');
    let isGone: boolean | undefined;
    await using between = await startProxy(moto.url, ({ method }: Asked) => {
      if (method === 'DELETE') isGone ??= true;
      return isGone === true ? 'cut' : undefined;
    });
    const connector = createS3Connector({ ...settings(bucket), url: `${between.url}/${bucket.name}` });
    const scope = await located({ connector }, ANN);
    await expect(connector.erase(scope, 'erase')).rejects.toMatchObject({
      code: 'SYSTEM_UNREACHABLE',
      retryable: true,
    });
    expect((await bucket.versions())[key]).toEqual([
      'user_id,what\r\n7,a\r\n77,c\r\n',
      'user_id,what\r\n77,c\r\n',
    ]);
    isGone = false;
    expect((await connector.verify(scope)).remaining.orders).toBe(1);
    await erase({ connector }, scope);
    expect((await bucket.versions())[key]).toEqual(['user_id,what\r\n77,c\r\n']);
    await connector.close();
  });

  test('objects in an archive are told as what nobody could look through', async () => {
    const bucket = await makeBucket(moto);
    await bucket.put('events/date=1/a', '{"user":{"id":7}}\n', { 'x-amz-storage-class': 'GLACIER' });
    await bucket.put('events/date=1/b', '{"user":{"id":7}}\n');
    const connector = connect(bucket);
    const scope = await located({ connector }, ANN);
    const { counts, residuals } = await erase({ connector }, scope);
    expect(counts).toEqual({ events: 1 });
    expect(residuals).toEqual([
      {
        what: expect.stringMatching(/^1 versions of objects of events lie in an archive/),
        until: null,
        copy: 'archive',
      },
    ]);
    const nothing = await erase({ connector }, scopeOf(id('8'), []));
    expect(nothing).toMatchObject({ matched: false, residuals });
  });

  test('a bucket that does not let us in says what it refused, and nothing was changed', async () => {
    const bucket = await makeBucket(moto, { versioning: true });
    await fillLake(bucket);
    const before = await bucket.versions();
    let refuses = (_: Asked): boolean => false;
    await using between = await startProxy(moto.url, (asked) =>
      refuses(asked) ? { status: 403, code: 'AccessDenied' } : undefined,
    );
    const connector = createS3Connector({ ...settings(bucket), url: `${between.url}/${bucket.name}` });
    const scope = await located({ connector }, ANN);
    const denied = { code: 'SYSTEM_REFUSED', retryable: true };
    for (const [what, refused] of [
      ['write', ({ method }: Asked) => method === 'PUT'],
      ['list its versions', ({ method }: Asked) => method === 'GET'],
    ] as const) {
      refuses = refused;
      await expect(connector.erase(scope, 'erase')).rejects.toMatchObject({
        ...denied,
        message: expect.stringMatching(new RegExp(`let Habeas .*${what}.*403 AccessDenied`)),
      });
    }
    expect(await connector.check()).toMatchObject({
      ok: false,
      message: expect.stringMatching(/AccessDenied/),
    });
    refuses = ({ query }) => query.has('lifecycle');
    const { residuals } = await erase({ connector }, scope, 'dry-run');
    expect(residuals).toEqual([]);
    const { 'avatars/7.png': _, ...rest } = before;
    expect(await bucket.versions()).toMatchObject(rest);
    expect((await erase({ connector }, scope)).residuals).toEqual([
      { what: expect.stringMatching(/Habeas may not read/), until: null, copy: 'replication' },
    ]);
    await connector.close();
  });

  test.each([{ versioning: true }, { versioning: false }])(
    'keys that may only read are found out at check, with versions: $versioning, and nothing is changed',
    async (kind) => {
      const bucket = await makeBucket(moto, kind);
      await fillLake(bucket);
      const before = await bucket.versions();
      const refused = new Set<string>();
      await using between = await startProxy(moto.url, ({ method }) =>
        refused.has(method) ? { status: 403, code: 'AccessDenied' } : undefined,
      );
      const connector = createS3Connector({ ...settings(bucket), url: `${between.url}/${bucket.name}` });
      expect(await connector.check()).toMatchObject({ ok: true, problems: [] });
      for (const method of ['PUT', 'DELETE']) refused.add(method);
      expect(await connector.check()).toMatchObject({
        ok: false,
        problems: [
          expect.stringMatching(/s3:DeleteObject.*403 AccessDenied/),
          expect.stringMatching(/s3:AbortMultipartUpload.*403 AccessDenied/),
          expect.stringMatching(/s3:PutObject.*403 AccessDenied/),
        ],
      });
      refused.delete('PUT');
      expect((await connector.check()).problems).toEqual([
        expect.stringMatching(/s3:DeleteObjectVersion/),
        expect.stringMatching(/s3:AbortMultipartUpload/),
      ]);
      expect(await bucket.versions()).toEqual(before);
      await connector.close();
    },
  );

  test('of a bucket with locks every right that an erasure may need is tried by itself, and nothing is changed', async () => {
    const bucket = await makeBucket(moto, { locks: true });
    await fillLake(bucket);
    const before = await bucket.versions();
    let refuses = (_: Asked): boolean => false;
    await using between = await startProxy(moto.url, (asked) =>
      refuses(asked) ? { status: 403, code: 'AccessDenied' } : undefined,
    );
    const connector = createS3Connector({ ...settings(bucket), url: `${between.url}/${bucket.name}` });
    expect(await connector.check()).toMatchObject({
      ok: true,
      message: expect.stringMatching(/Not probed: keys of an encryption/),
      problems: [],
    });
    const asks = (method: string, parameter: string) => (asked: Asked) =>
      asked.method === method && asked.query.has(parameter);
    const sends = (header: string) => (asked: Asked) => asked.method === 'PUT' && header in asked.headers;
    const isPlainRead = ({ method, query }: Asked) =>
      method === 'GET' && [...query.keys()].every((name) => name === 'versionId');
    for (const [right, needs] of [
      ['s3:GetObject', isPlainRead],
      ['s3:GetObjectTagging', asks('GET', 'tagging')],
      ['s3:PutObjectTagging', sends('x-amz-tagging')],
      ['s3:GetObjectAcl', asks('GET', 'acl')],
      ['s3:PutObjectAcl', sends('x-amz-acl')],
      ['s3:GetObjectRetention', asks('GET', 'retention')],
      ['s3:PutObjectRetention', sends('x-amz-object-lock-mode')],
      ['s3:GetObjectLegalHold', asks('GET', 'legal-hold')],
      ['s3:PutObjectLegalHold', sends('x-amz-object-lock-legal-hold')],
      ['s3:AbortMultipartUpload', asks('DELETE', 'uploadId')],
    ] as const) {
      refuses = needs;
      const { ok, problems } = await connector.check();
      expect({ right, ok, problems }).toEqual({
        right,
        ok: false,
        problems: [expect.stringMatching(new RegExp(`\\(${right}[,)].*403 AccessDenied`))],
      });
    }
    refuses = asks('GET', 'uploads');
    expect(await connector.check()).toMatchObject({
      ok: false,
      message: expect.stringMatching(/s3:ListBucketMultipartUploads.*403 AccessDenied/),
    });
    expect(await bucket.versions()).toEqual(before);
    await connector.close();
  });

  test('rights to locks are not asked for where the bucket has none', async () => {
    const bucket = await makeBucket(moto, { versioning: true });
    await using between = await startProxy(moto.url, ({ query, headers }) =>
      query.has('retention') || query.has('legal-hold') || 'x-amz-object-lock-mode' in headers
        ? { status: 403, code: 'AccessDenied' }
        : undefined,
    );
    const connector = createS3Connector({ ...settings(bucket), url: `${between.url}/${bucket.name}` });
    expect(await connector.check()).toMatchObject({ ok: true, problems: [] });
    await connector.close();
  });

  test('a store that does not know conditional writes is left as it is', async () => {
    const bucket = await makeBucket(moto, { versioning: true });
    await bucket.put('events/date=1/a', '{"user":{"id":7}}\n');
    const before = await bucket.versions();
    await using between = await startProxy(moto.url, ({ method, headers }) => {
      if (method === 'PUT') delete headers['if-match'];
      return undefined;
    });
    const connector = createS3Connector({ ...settings(bucket), url: `${between.url}/${bucket.name}` });
    await expect(connector.erase(await located({ connector }, ANN), 'erase')).rejects.toMatchObject({
      code: 'SYSTEM_REFUSED',
      message: expect.stringMatching(/conditional writes/),
    });
    expect((await connector.check()).problems).toEqual([expect.stringMatching(/conditional writes/)]);
    expect(await bucket.versions()).toEqual(before);
    await connector.close();
  });

  test('a store that is too busy now and then is asked again', async () => {
    const bucket = await makeBucket(moto);
    await fillLake(bucket);
    let turn = 0;
    await using between = await startProxy(moto.url, () => {
      turn += 1;
      return turn % 3 === 0 ? { status: 503, code: 'SlowDown' } : undefined;
    });
    const connector = createS3Connector({ ...settings(bucket), url: `${between.url}/${bucket.name}` });
    const scope = await located({ connector }, ANN);
    expect((await erase({ connector }, scope)).counts).toEqual({ avatars: 1, events: 3, orders: 1 });
    await connector.close();
  });

  test.each([
    ['url', { url: 'https://s3.example.com' }, /`url` has to end with the bucket/],
    ['keys', { options: { region: 'x' } }, /access_key_id/],
  ])('a wrong %s is told when the connection is made', async (_, wrong, message) => {
    const bucket = await makeBucket(moto);
    expect(() => createS3Connector({ ...settings(bucket), ...wrong })).toThrow(message);
  });

  test('keys that can be read in several ways stop before anything is changed', async () => {
    const bucket = await makeBucket(moto);
    await bucket.put('a/7-8-x-y', 'whose?');
    const dataset = LAKE.replace('avatars/{user_id}.*', 'a/{user_id}-*-*');
    await expect(located({ connector: connect(bucket, { dataset }) }, id('7'))).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringMatching(/several ways/),
    });
  });

  test('without stored keys nothing is asked of the objects', async () => {
    const bucket = await makeBucket(moto);
    await bucket.put('events/date=1/a', '{"user":{"id":7}}\n');
    const connector = connectWith(bucket, () => ({
      open: () => {
        throw new Error('It was read.');
      },
    }));
    expect((await erase({ connector }, scopeOf(ANN, []))).counts).toEqual({});
  });
});
