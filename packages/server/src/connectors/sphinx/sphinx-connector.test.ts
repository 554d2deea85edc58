import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collect, erase, located, scopeOf, testConnectorContract } from '../../../test/connector-contract.ts';
import { requireProgram } from '../../../test/requirements.ts';
import { type SphinxServer, startSphinx } from '../../../test/sphinx-server.ts';
import { type Identity, parseDatasets } from '../../catalog/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import { createSphinxConnector } from './index.ts';

// Servers start and stop; on a busy machine that takes a while.
const program = requireProgram('searchd', '--help') && requireProgram('indexer', '--help');

const DATASET = `
dataset:
  - fides_key: search
    collections:
      - name: people
        habeas: { on_erase: delete, sphinx: {} }
        fields:
          - { name: author_id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email }, habeas: { match: case-insensitive } }
      - name: notes
        habeas: { on_erase: delete, sphinx: {} }
        fields:
          - { name: profile.user.id, data_categories: [user.unique_id], fides_meta: { identity: account } }
`;

const PLAIN = `
dataset:
  - fides_key: search
    collections:
      - name: articles
        habeas: { on_erase: delete, sphinx: { index: posts, mark: deleted } }
        fields:
          - { name: author_id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
`;

const id = (value: string, type = 'user_id'): readonly Identity[] => [{ type, value }];
const ANN = [...id('7'), ...id('ann@example.com', 'email'), ...id('a-7', 'account')];
const BOB = [...id('77'), ...id('bob@example.com', 'email'), ...id('a-77', 'account')];
const NOW = '2026-03-01T12:00:00Z';

async function fill(sphinx: SphinxServer): Promise<void> {
  await sphinx.run(
    'TRUNCATE RTINDEX people',
    'TRUNCATE RTINDEX notes',
    `INSERT INTO people (id, body, email, author_id) VALUES
      (1, 'qqword one', 'x@example.com', 7), (2, 'bob one', 'bob@example.com', 77),
      (3, 'qqword two', 'Ann@Example.com', 1), (4, 'other', 'joann@example.com', 70), (5, 'nobody', '', 0)`,
    `INSERT INTO notes (id, body, profile) VALUES
      (1, 'a', '{"user":{"id":"a-7"}}'), (2, 'b', '{"user":{"id":"a-77"}}'), (3, 'c', '{"user":{"id":0}}'),
      (4, 'd', '{"user":{"id":""}}'), (5, 'e', '{}'), (6, 'f', '{"user":{"id":"0a"}}')`,
  );
}

async function everything(sphinx: SphinxServer, ...indexes: readonly string[]) {
  const rows = indexes.map((index) => sphinx.run(`SELECT * FROM ${index} ORDER BY id ASC LIMIT 1000`));
  return Object.fromEntries((await Promise.all(rows)).map((one, at) => [indexes[at] ?? '', one]));
}

const idsIn = async (sphinx: SphinxServer, index: string) =>
  (await sphinx.run(`SELECT id FROM ${index} ORDER BY id ASC LIMIT 1000`)).map((row) => row.id);

const connect = (
  { url }: Pick<SphinxServer, 'url'>,
  { dataset = DATASET, options = {} }: { dataset?: string; options?: Readonly<Record<string, unknown>> } = {},
) =>
  createSphinxConnector({
    key: 'search',
    url,
    folder: '/',
    options,
    datasets: parseDatasets(dataset, 'search.yml'),
    keepRules: [],
    clock: fixedClock(NOW),
    connections: 4,
  });

describe.skipIf(program === undefined)('full-text indexes of Sphinx', () => {
  let sphinx: SphinxServer;
  beforeAll(async () => {
    sphinx = await startSphinx();
  });
  afterAll(() => sphinx[Symbol.asyncDispose]());

  const merge = () => ({
    commands: {
      posts: [
        ...['/usr/bin/indexer', '--config', sphinx.config, '--merge', 'posts', 'posts_delta'],
        ...['--merge-dst-range', 'deleted', '0', '0', '--rotate'],
      ],
    },
  });
  /** Words and values of the person, or of anybody, in the files of the indexes and the binary log. */
  const bytesOf = (word: string) =>
    ['data', 'binlog'].flatMap((folder) =>
      readdirSync(join(sphinx.folder, folder)).filter((file) =>
        readFileSync(join(sphinx.folder, folder, file)).includes(word),
      ),
    );
  let filled = 0;
  /** Documents 1, 2 and 3, and one by which it is seen that searchd has taken the new files. */
  const fillPosts = async (): Promise<string> => {
    filled += 1;
    const last = String(1_000 + filled);
    sphinx.index(
      'posts',
      `1,7,jjmail@posts.example,qqword one,0\n2,77,bob@example.com,bob one,0\n3,7,jjmail@posts.example,qqword two,0\n${last},5,e@example.com,end,0\n`,
    );
    await expect.poll(() => idsIn(sphinx, 'posts'), { timeout: 60_000 }).toEqual(['1', '2', '3', last]);
    return last;
  };

  testConnectorContract(
    'Sphinx with RT indexes',
    async () => {
      await fill(sphinx);
      const connector = connect(sphinx);
      return {
        connector,
        person: ANN,
        other: BOB,
        falsy: [id('0', 'account'), id('', 'account')],
        snapshot: () => everything(sphinx, 'people', 'notes'),
        close: () => connector.close(),
      };
    },
    { skipped: { discover: /discovery/, sample: /samples/, resolve: /no identities/ } },
  );

  testConnectorContract(
    'Sphinx with a plain index',
    async () => {
      await fillPosts();
      const connector = connect(sphinx, { dataset: PLAIN, options: merge() });
      return {
        connector,
        person: id('7'),
        other: id('77'),
        // An erasure that was aborted may have marked documents, and has changed nothing that anybody finds.
        snapshot: async () => (await everything(sphinx, 'posts')).posts?.map(({ deleted: _, ...row }) => row),
        close: () => connector.close(),
      };
    },
    {
      skipped: {
        discover: /discovery/,
        sample: /samples/,
        resolve: /no identities/,
        'falsy-ids': /no person with such an id/,
        'falsy-erased': /no person with such an id/,
      },
    },
  );

  test('exactly the person’s documents go, and what remains is told', async () => {
    await fill(sphinx);
    const before = await everything(sphinx, 'people', 'notes');
    const connector = connect(sphinx);
    const scope = await located({ connector }, ANN);
    const { counts, residuals, effects } = await erase({ connector }, scope);
    expect(counts).toEqual({ people: 2, notes: 1 });
    expect(effects?.people).toEqual({ found: 2, erased: 2, masked: 0, kept: 0, level: 'logical' });
    expect(residuals).toEqual([
      {
        what: expect.stringMatching(/^The binary log.*"people", "notes"/),
        until: '2026-03-01T22:00:00.000Z',
        copy: 'binary-log',
      },
      { what: expect.stringMatching(/^Erased documents in the files/), until: null, copy: 'chunks' },
    ]);
    const without = (index: string, ...ids: readonly string[]) =>
      before[index]?.filter((row) => !ids.includes(row.id ?? ''));
    expect(await everything(sphinx, 'people', 'notes')).toEqual({
      people: without('people', '1', '3'),
      notes: without('notes', '1'),
    });
    expect(await sphinx.run(`SELECT id FROM people WHERE MATCH('qqword')`)).toEqual([]);
    expect((await connector.verify(scope)).remaining).toEqual({ people: 0, notes: 0 });
    await connector.close();
  });

  test('a retry after an answer that was lost tells the same copies, and none where nothing was found', async () => {
    await fill(sphinx);
    const connector = connect(sphinx);
    const scope = await located({ connector }, ANN);
    const { residuals } = await erase({ connector }, scope);
    const again = await erase({ connector }, { ...scope, unanswered: true });
    expect(again.residuals).toEqual(residuals);
    expect((await erase({ connector }, { ...scopeOf(ANN, []), unanswered: true })).residuals).toEqual([]);
    await connector.close();
  });

  test('what searchd can write anew is written anew where the connection asks for it', async () => {
    await fill(sphinx);
    await sphinx.run('FLUSH RAMCHUNK people');
    await sphinx.run(
      `INSERT INTO people (id, body, email, author_id) VALUES (8, 'later', 'new@example.com', 78)`,
    );
    expect(bytesOf('qqword')).not.toEqual([]);
    const connector = connect(sphinx, { options: { purge: 'optimize', rt_flush_period: 60 } });
    const { residuals } = await erase({ connector }, await located({ connector }, ANN));
    expect(residuals).toEqual([
      {
        what: expect.stringMatching(/^The binary log/),
        until: '2026-03-01T12:01:00.000Z',
        copy: 'binary-log',
      },
      { what: expect.stringMatching(/^Erased documents in the newest chunk/), until: null, copy: 'chunks' },
    ]);
    await expect.poll(() => bytesOf('qqword'), { timeout: 60_000 }).toEqual([]);
    expect(bytesOf('joann@example.com')).not.toEqual([]);
    expect(await idsIn(sphinx, 'people')).toEqual(['2', '4', '5', '8']);
    await connector.close();
  });

  test('documents of a plain index are marked and taken out by the command, and no byte of them is left', async () => {
    const last = await fillPosts();
    const connector = connect(sphinx, { dataset: PLAIN, options: merge() });
    expect(await connector.check()).toMatchObject({ ok: true });
    expect(bytesOf('qqword')).not.toEqual([]);
    const scope = await located({ connector }, id('7'));
    expect((await erase({ connector }, scope)).counts).toEqual({ articles: 2 });
    // The delta is part of it now.
    expect(await idsIn(sphinx, 'posts')).toEqual(['2', last, '999999']);
    expect((await connector.verify(scope)).remaining).toEqual({ articles: 0 });
    await expect.poll(() => bytesOf('qqword'), { timeout: 60_000 }).toEqual([]);
    expect(bytesOf('jjmail@posts.example')).toEqual([]);
    await connector.close();
  });

  test('many people share one run of the command', async () => {
    const rows = Array.from({ length: 20 }, (_, at) => `${at + 1},${at + 100},p${at}@example.com,text,0`);
    sphinx.index('posts', `${rows.join('\n')}\n`);
    await expect.poll(() => idsIn(sphinx, 'posts'), { timeout: 60_000 }).toHaveLength(20);
    const runs = join(sphinx.folder, 'runs');
    const { commands } = merge();
    const script = `echo run >> ${runs}; exec ${commands.posts.join(' ')}`;
    const options = { commands: { posts: ['/bin/sh', '-c', script] } };
    const connector = connect(sphinx, { dataset: PLAIN, options });
    const scopes = await Promise.all(
      Array.from({ length: 10 }, (_, at) => located({ connector }, id(`${at + 100}`))),
    );
    const erased = await Promise.all(scopes.map((scope) => erase({ connector }, scope)));
    expect(erased.map(({ counts }) => counts)).toEqual(Array(10).fill({ articles: 1 }));
    expect(readFileSync(runs, 'utf8')).toBe('run\n');
    expect(await idsIn(sphinx, 'posts')).toHaveLength(11);
    await connector.close();
  });

  test.each([
    ['fails', ['/bin/false'], /ended with 1/],
    ['is not there', ['/no/such/program'], /ended with ENOENT/],
  ])('a command that %s is told, without what it prints, and is tried again', async (_, command, message) => {
    await fillPosts();
    const connector = connect(sphinx, { dataset: PLAIN, options: { commands: { posts: command } } });
    const scope = await located({ connector }, id('7'));
    await expect(connector.erase(scope, 'erase')).rejects.toMatchObject({
      code: 'SYSTEM_FAILED',
      retryable: true,
      message: expect.stringMatching(message),
    });
    expect((await connector.verify(scope)).remaining).toEqual({ articles: 2 });
    const again = connect(sphinx, { dataset: PLAIN, options: merge() });
    expect((await erase({ connector: again }, scope)).counts).toEqual({ articles: 2 });
    expect((await again.verify(scope)).remaining).toEqual({ articles: 0 });
  });

  test('a stored document that is somebody else’s by now stays', async () => {
    await fill(sphinx);
    const connector = connect(sphinx);
    const scope = await located({ connector }, ANN);
    await sphinx.run(
      `REPLACE INTO people (id, body, email, author_id) VALUES (1, 'taken', 'bob@example.com', 77)`,
    );
    expect((await erase({ connector }, scope)).counts).toEqual({ people: 1, notes: 1 });
    expect(await idsIn(sphinx, 'people')).toEqual(['1', '2', '4', '5']);
  });

  test('texts are compared whole and as they are, whatever stands in them', async () => {
    const odd = ["o'brien\\'; -- x", 'a\\', 'zoë', 'zoe\u0308 2', 'ÉTÉ'];
    const dataset = DATASET.replace('match: case-insensitive', 'match: exact');
    for (const match of ['exact', 'case-insensitive'] as const) {
      await fill(sphinx);
      for (const [at, text] of odd.entries())
        await sphinx.run(
          `INSERT INTO people (id, body, email, author_id) VALUES (${at + 10}, 'x', '${text.replaceAll(/['\\]/g, '\\$&')}', 1)`,
        );
      const connector = connect(sphinx, { dataset: match === 'exact' ? dataset : DATASET });
      const found = async (email: string) =>
        (await collect({ connector }, id(email, 'email'))).items.map(({ row }) => row.id);
      for (const [at, text] of odd.entries()) {
        expect(await found(text)).toEqual([`${at + 10}`]);
        expect(await found(text.normalize(text === 'zoë' ? 'NFD' : 'NFC'))).toEqual([`${at + 10}`]);
      }
      expect(await found('été')).toEqual(match === 'exact' ? [] : ['14']);
      expect(await found('ann')).toEqual([]);
      await connector.close();
    }
  });

  test('many documents are all found, a thousand at a time', async () => {
    await fill(sphinx);
    const rows = Array.from({ length: 2_500 }, (_, at) => `(${at + 100}, 'x', '', 4294967295)`);
    await sphinx.run(`INSERT INTO people (id, body, email, author_id) VALUES ${rows.join(',')}`);
    const connector = connect(sphinx);
    const scope = await located({ connector }, id('4294967295'));
    expect((await erase({ connector }, scope)).counts).toEqual({ people: 2_500 });
    expect(await idsIn(sphinx, 'people')).toHaveLength(5);
    // What does not fit into the attribute is nobody, and not somebody with other digits.
    for (const value of ['4294967303', '07', '7.0', '-7', ' 7'])
      expect((await collect({ connector }, id(value))).items).toEqual([]);
    await connector.close();
  });

  test.each([['0'], ['']])(
    'an id %j that no attribute can tell from none stops before anything is changed',
    async (value) => {
      await fill(sphinx);
      const before = await everything(sphinx, 'people');
      const connector = connect(sphinx);
      await expect(located({ connector }, id(value))).rejects.toMatchObject({
        code: 'SCHEMA_MISMATCH',
        message: expect.stringMatching(/cannot be told from those of nobody/),
      });
      expect(await everything(sphinx, 'people')).toEqual(before);
      await connector.close();
    },
  );

  test.each([
    ['body', /only a full-text field/],
    ['nope', /no attribute "nope"/],
    ['tags', /cannot be found by "tags"/],
    ['profile', /cannot be found by "profile"/],
    ['email.x', /cannot be found by "email.x"/],
    ['bad name', /no name of an attribute/],
  ])('an identity in %s is refused at the check', async (name, problem) => {
    const dataset = PLAIN.replace('posts, mark: deleted', 'people').replace('author_id', name);
    const connector = connect(sphinx, { dataset });
    const { ok, problems } = await connector.check();
    expect(ok).toBe(false);
    expect(problems).toEqual([expect.stringMatching(problem)]);
    await expect(located({ connector }, id('7'))).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
    await connector.close();
  });

  test.each([
    ['index: gone', /serves no index "gone"/],
    ['index: posts', /plain one: give the connection `options/],
    ['index: people, mark: author_id', /`mark` is not for it/],
    ['index: posts, mark: email', /has to be an attribute of the type uint/],
  ])('an index with { %s } is refused at the check', async (source, problem) => {
    const dataset = PLAIN.replace('index: posts, mark: deleted', source);
    const connector = connect(sphinx, {
      dataset,
      options: source.includes('mark: email') ? merge() : {},
    });
    expect((await connector.check()).problems).toEqual([expect.stringMatching(problem)]);
    await connector.close();
  });

  test('a query log that quotes searches is told', async () => {
    await fill(sphinx);
    await sphinx.run('SET GLOBAL query_log_format=sphinxql');
    const connector = connect(sphinx);
    const { residuals } = await erase({ connector }, await located({ connector }, id('7')));
    await sphinx.run('SET GLOBAL query_log_format=plain');
    expect(residuals.map(({ what }) => what)).toContainEqual(expect.stringMatching(/^The query log/));
    await connector.close();
  });

  test('a searchd that goes away is tried again, and is found again when it is back', async () => {
    await using own = await startSphinx();
    await fill(own);
    const connector = connect(own);
    const scope = await located({ connector }, ANN);
    await own.kill();
    await expect(connector.erase(scope, 'erase')).rejects.toMatchObject({
      code: 'SYSTEM_UNREACHABLE',
      retryable: true,
    });
    expect(await connector.check()).toMatchObject({ ok: false });
    await connector.close();
  });

  test.each([
    ['address', { url: 'http://x:1', options: {} }, /listens for SphinxQL/],
    ['command', { url: 'mysql://x', options: { commands: { posts: ['indexer'] } } }, /absolute path/],
    ['option', { url: 'mysql://x', options: { shell: true } }, /shell/],
  ])('a wrong %s is told when the connection is made', (_, { url, options }, message) => {
    expect(() => connect({ url }, { options })).toThrow(message);
  });

  test('nobody is asked for without identities', async () => {
    const connector = connect(sphinx);
    expect((await erase({ connector }, scopeOf([], []))).counts).toEqual({});
    await connector.close();
  });
});
