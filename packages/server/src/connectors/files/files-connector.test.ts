import {
  appendFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import {
  arrayOf,
  collect,
  erase,
  located,
  scopeOf,
  sum,
  testConnectorContract,
} from '../../../test/connector-contract.ts';
import { type Identity, type KeepRule, parseDatasets } from '../../catalog/index.ts';
import { fixedClock } from '../../foundation/index.ts';
import { createFilesConnector } from './files-connector.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const MEDIA = `
dataset:
  - fides_key: media
    collections:
      - name: avatars
        habeas:
          on_erase: delete
          files: { path: ["avatars/{user_id:word}.*", "drafts/{user_id}/**"], derived: ["thumbs/{stem}_{size:digits}.jpg", "{path}.part"] }
        fields:
          - { name: user_id, data_categories: [user.unique_id], fides_meta: { identity: user_id } }
          - { name: text, data_categories: [user.content.photo] }
      - name: mails
        habeas: { on_erase: delete, files: { path: "mail/{email}.eml" } }
        fields:
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
      - name: documents
        habeas: { on_erase: delete, files: { path: "{document:**}" } }
        fields:
          - { name: document, data_categories: [user.content.private], fides_meta: { identity: document } }
`;

const TREE: Readonly<Record<string, string>> = {
  'avatars/7.jpg': 'seven',
  'avatars/7.jpg.part': 'half of seven',
  'avatars/77.jpg': 'seventy-seven',
  'avatars/0.png': 'zero',
  'thumbs/7_64.jpg': 'small seven',
  'thumbs/77_64.jpg': 'small seventy-seven',
  'drafts/7/a/b.txt': 'draft of seven',
  'drafts/7/c.bin': '\u0000\u0001',
  'drafts/77/a/b.txt': 'draft of seventy-seven',
  'mail/Ann@Example.com.eml': 'mail to Ann',
  'mail/bob@example.com.eml': 'mail to Bob',
  '2024/05/contract.pdf': 'a contract',
  '2024/05/other.pdf': 'another contract',
};

function makeTree(files: Readonly<Record<string, string>> = TREE): string {
  const root = mkdtempSync(join(tmpdir(), 'habeas-files-'));
  folders.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

function connect(root: string, dataset = MEDIA, keepRules: readonly KeepRule[] = []) {
  return createFilesConnector({
    key: 'media',
    url: `file://${root}`,
    folder: '/',
    options: {},
    datasets: parseDatasets(dataset, 'media.yml'),
    keepRules,
    clock: fixedClock('2026-01-01T00:00:00Z'),
    connections: 4,
  });
}

/** Every path with what is there: the text of a file, the target of a link. Links are not followed. */
function treeOf(root: string, at = ''): Record<string, string> {
  const tree: Record<string, string> = {};
  for (const name of readdirSync(join(root, at)).sort()) {
    const path = join(at, name);
    const stat = lstatSync(join(root, path));
    if (stat.isDirectory()) Object.assign(tree, { [path]: 'folder' }, treeOf(root, path));
    else
      tree[path] = stat.isSymbolicLink()
        ? `→ ${readlinkSync(join(root, path))}`
        : readFileSync(join(root, path), 'utf8');
  }
  return tree;
}

const id = (value: string, type = 'user_id'): readonly Identity[] => [{ type, value }];

testConnectorContract(
  'A tree of files',
  async () => {
    const root = makeTree();
    return {
      connector: connect(root),
      person: [...id('7'), ...id('ann@example.com', 'email'), ...id('2024/05/contract.pdf', 'document')],
      other: [...id('77'), ...id('bob@example.com', 'email')],
      falsy: [id('0')],
      snapshot: async () => treeOf(root),
      close: async () => undefined,
    };
  },
  { skipped: { discover: /discovery/, sample: /samples/, resolve: /no identities/ } },
);

test('exactly the files of the person go, with what was made from them and with folders that were theirs', async () => {
  const root = makeTree();
  const connector = connect(root);
  const scope = await located({ connector }, [...id('7'), ...id('2024/05/contract.pdf', 'document')]);
  const evidence = await erase({ connector }, scope);
  expect(evidence.effects).toEqual({
    avatars: { found: 5, erased: 5, masked: 0, kept: 0, level: 'logical' },
    documents: { found: 1, erased: 1, masked: 0, kept: 0, level: 'logical' },
  });
  const after = treeOf(root);
  expect(Object.keys(after).filter((path) => after[path] !== 'folder')).toEqual(
    Object.keys(TREE)
      .filter((path) => !/(^|\/)7[._/]|contract/.test(path))
      .sort(),
  );
  expect(existsSync(join(root, 'drafts/7'))).toBe(false);
  expect(existsSync(join(root, 'thumbs'))).toBe(true);
});

test('what was made from a file is erased before the file, so that a retry still knows it', async () => {
  const root = makeTree();
  const connector = connect(root);
  const keys = (await arrayOf((await located({ connector }, id('7'))).keys())).flatMap((batch) => batch.keys);
  const at = (path: string) => keys.findIndex((key) => key.includes(`"${path}"`));
  expect(at('thumbs/7_64.jpg')).toBeGreaterThanOrEqual(0);
  expect(at('thumbs/7_64.jpg')).toBeLessThan(at('avatars/7.jpg'));
});

test('an access gives text as text, other bytes as base64, and large files in parts', async () => {
  const root = makeTree({ ...TREE, 'drafts/7/large.txt': 'x'.repeat(2_500_000) });
  const connector = connect(root);
  const { items } = await collect({ connector }, id('7'));
  const rows = items.map(({ row }) => row);
  expect(rows.find(({ path }) => path === 'avatars/7.jpg')).toMatchObject({ text: 'seven', size: 5 });
  expect(rows.find(({ path }) => path === 'drafts/7/c.bin')).toMatchObject({ text: '\u0000\u0001' });
  const parts = rows.filter(({ path }) => path === 'drafts/7/large.txt');
  expect(parts.map(({ part, text }) => [part, String(text).length])).toEqual([
    [1, 1_048_576],
    [2, 1_048_576],
    [3, 402_848],
  ]);
});

describe('a file of which a part was given', () => {
  /** The rest of what is given, after something was done with the file. */
  async function restAfter(act: (file: string) => void): Promise<string> {
    const root = makeTree({ 'drafts/7/large.txt': 'x'.repeat(2_500_000) });
    const giving = connect(root).collect(scopeOf(id('7'), []));
    let text = '';
    for await (const step of giving) {
      if (step.state !== 'item') continue;
      if (text === '') act(join(root, 'drafts/7/large.txt'));
      text += String(step.item.row.text);
    }
    return text;
  }

  test('is given to its end, whatever takes its place', async () => {
    const text = await restAfter((file) => {
      writeFileSync(`${file}.new`, 'y'.repeat(2_000_000));
      renameSync(`${file}.new`, file);
    });
    expect(text).toBe('x'.repeat(2_500_000));
    const removed = await restAfter((file) => rmSync(file));
    expect(removed).toBe('x'.repeat(2_500_000));
  });

  test.each([
    ['shorter', (file: string) => truncateSync(file, 1_500_000)],
    ['longer', (file: string) => appendFileSync(file, 'y')],
    ['another one', (file: string) => writeFileSync(file, 'y'.repeat(2_500_000))],
  ])('is an error to be tried again where it becomes %s', async (_, act) => {
    await expect(restAfter(act)).rejects.toMatchObject({
      code: 'SYSTEM_FAILED',
      retryable: true,
      message: expect.stringContaining('changed while it was handed over'),
    });
  });
});

test('any number of folders may be none', async () => {
  const dataset = `
dataset:
  - fides_key: media
    collections:
      - name: scans
        habeas: { on_erase: delete, files: { path: ["scans/**/{user_id:word}.pdf", "**/{user_id:word}.tif"] } }
        fields: [{ name: user_id, data_categories: [user.content.private], fides_meta: { identity: user_id } }]
`;
  const others = { 'scans/8.pdf': '', '8.tif': '', 'scans/2024/05/8.pdf': '' };
  const root = makeTree({
    ...others,
    'scans/7.pdf': '',
    'scans/2024/7.pdf': '',
    'scans/2024/05/7.pdf': '',
    '7.tif': '',
    'a/7.tif': '',
  });
  const connector = connect(root, dataset);
  await erase({ connector }, await located({ connector }, id('7')));
  const after = treeOf(root);
  expect(Object.keys(after).filter((path) => after[path] !== 'folder')).toEqual(Object.keys(others).sort());
});

test('names that are not UTF-8 are found, erased, and told apart', async () => {
  const root = makeTree({});
  mkdirSync(join(root, 'avatars'));
  const name = Buffer.concat([Buffer.from(`${root}/avatars/7.`), Buffer.from([0xff, 0xfe])]);
  writeFileSync(name, 'odd');
  const connector = connect(root);
  expect((await erase({ connector }, await located({ connector }, id('7')))).counts).toEqual({ avatars: 1 });
  expect(readdirSync(join(root, 'avatars'))).toEqual([]);
});

test('a name in composed and in decomposed letters is the same person', async () => {
  const root = makeTree({
    [`avatars/${'zoë'.normalize('NFD')}.jpg`]: 'a',
    [`avatars/${'zoë'.normalize('NFC')}.jpg`]: 'b',
    'avatars/zoe.jpg': 'c',
  });
  const connector = connect(root);
  expect((await erase({ connector }, await located({ connector }, id('zoë')))).counts).toEqual({
    avatars: 2,
  });
  expect(readdirSync(join(root, 'avatars'))).toEqual(['zoe.jpg']);
});

test('a path that can be read in two ways is nobody’s for certain: nothing is erased, and the pattern is to be made plain', async () => {
  const dataset = MEDIA.replace('"avatars/{user_id:word}.*"', '"avatars/{user_id}_{label}.jpg"');
  const files = { 'avatars/a_b_c.jpg': 'of a, or of a_b', 'avatars/a_b.jpg': 'of a' };
  const connector = connect(makeTree(files), dataset);
  await expect(located({ connector }, id('a'))).rejects.toMatchObject({
    code: 'SCHEMA_MISMATCH',
    message: expect.stringContaining('{user_id:digits}'),
  });
  const plain = connect(
    makeTree(files),
    dataset.replace('{label}', '{label:word}').replace('{user_id}_', '{user_id:word}_'),
  );
  expect((await erase({ connector: plain }, await located({ connector: plain }, id('a')))).counts).toEqual({
    avatars: 1,
  });
});

test('what was made from the file of another person with a longer name stays', async () => {
  const files = {
    'avatars/a.jpg': 'a',
    'avatars/a_1.jpg': 'a_1',
    'thumbs/a_64.jpg': 'of a',
    'thumbs/a_1_64.jpg': 'of a_1',
  };
  const root = makeTree(files);
  const connector = connect(root);
  await erase({ connector }, await located({ connector }, id('a')));
  expect(readdirSync(join(root, 'thumbs'))).toEqual(['a_1_64.jpg']);
});

test('a value that leads out of the tree leads nowhere', async () => {
  const root = makeTree();
  const outside = makeTree({ 'secret.txt': 'of somebody else', '7.jpg': 'outside' });
  const connector = connect(root);
  const values = [
    `../${outside.split('/').at(-1)}/secret.txt`,
    `${outside}/secret.txt`,
    '..',
    '.',
    '/',
    'a\0b',
    '../*',
    '2024/../../x',
  ];
  const people = [...values.flatMap((value) => [...id(value, 'document'), ...id(value)])];
  expect((await collect({ connector }, people)).items).toEqual([]);
  expect(await arrayOf((await located({ connector }, people)).keys())).toEqual([]);
});

test('a file with a second name is erased, and the evidence says that the other name is there', async () => {
  const root = makeTree();
  linkSync(join(root, 'avatars/7.jpg'), join(root, 'copy.jpg'));
  const connector = connect(root);
  const { residuals } = await erase({ connector }, await located({ connector }, id('7')));
  expect(residuals.map(({ what }) => what).join()).toContain('1 files have further names');
});

test('files under a duty to keep stay, and the evidence says why and until when', async () => {
  const root = makeTree();
  const rule: KeepRule = {
    category: 'user.contact',
    reason: 'tax law',
    legalBasis: 'section 147',
    until: '2031-12-31',
  };
  const connector = connect(root, MEDIA, [rule]);
  const scope = await located({ connector }, [...id('7'), ...id('ann@example.com', 'email')]);
  const { retained, effects } = await erase({ connector }, scope);
  expect(retained).toEqual([
    { collection: 'mails', count: 1, reason: 'tax law (section 147)', until: '2031-12-31' },
  ]);
  expect(effects?.mails).toMatchObject({ found: 1, kept: 1, erased: 0 });
  expect(existsSync(join(root, 'mail/Ann@Example.com.eml'))).toBe(true);
  expect(await connector.verify(scope)).toMatchObject({ remaining: { avatars: 0 }, retained });
});

test.each([
  ['{user_id:word}.*"', 'user_id:word}.*"', 'a brace without'],
  ['avatars/{user_id:word}.*', '../{user_id:word}.*', 'a . or .. folder'],
  ['avatars/{user_id:word}.*', '/avatars/{user_id:word}.*', 'begins with a slash'],
  ['avatars/{user_id:word}.*', 'avatars/{user_id:number}.*', 'no placeholder'],
  ['avatars/{user_id:word}.*', 'avatars/*.jpg', 'names nobody'],
  ['{path}.part', 'parts/*', 'does not say from which file'],
  ['on_erase: delete, files: { path: "mail', 'on_erase: mask, files: { path: "mail', 'cannot be masked'],
])('a dataset with %s written as %s is refused in words', async (from, to, message) => {
  const connector = connect(makeTree(), MEDIA.replace(from, to));
  const { ok, problems } = await connector.check();
  expect([ok, problems.join(' ')]).toEqual([false, expect.stringContaining(message)]);
  await expect(located({ connector }, id('7'))).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
});

test('a root that is not there is told without its path', async () => {
  const connector = connect('/nowhere/ann@example.com');
  expect(await connector.check()).toMatchObject({
    ok: false,
    message: 'The file tree of media is not there.',
  });
  await expect(located({ connector }, id('7'))).rejects.toMatchObject({
    code: 'SYSTEM_FAILED',
    retryable: true,
  });
});

describe('hostile trees', () => {
  const names = fc.constantFrom(
    '7',
    '77',
    'avatars',
    'drafts',
    'thumbs',
    '7.jpg',
    '7_1.jpg',
    'a',
    '..7',
    'mail',
    '7.jpg.part',
  );
  const paths = fc.oneof(
    fc.array(names, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
    fc.constantFrom(
      'avatars/7.jpg',
      'avatars',
      'drafts/7/a',
      'drafts/7',
      'drafts/7/a/7.jpg',
      'thumbs/7_1.jpg',
      'thumbs',
    ),
  );
  const entries = fc.array(
    fc.record({
      path: paths,
      kind: fc.constantFrom('file', 'file', 'link-out', 'link-file', 'link-up', 'link-in'),
      target: paths,
    }),
    { maxLength: 14 },
  );

  test('no link leads out of the root, whatever it points at, and only files that the patterns name go', async () => {
    let links = 0;
    let erased = 0;
    await fc.assert(
      fc.asyncProperty(entries, async (made) => {
        const root = makeTree({});
        const outside = makeTree({ ...TREE, '7/7.jpg': 'x', '7.jpg': 'x', 'a/b': 'y' });
        for (const { path, kind, target } of made) {
          const at = join(root, path);
          try {
            mkdirSync(dirname(at), { recursive: true });
            if (kind === 'file') writeFileSync(at, path, { flag: 'wx' });
            else if (kind === 'link-out') symlinkSync(outside, at);
            else if (kind === 'link-file') symlinkSync(join(outside, 'avatars/7.jpg'), at);
            else if (kind === 'link-up') symlinkSync('..', at);
            else symlinkSync(join(root, target), at);
          } catch {
            // The name is taken, or a file or a link is where a folder would have to be.
          }
        }
        const outsideBefore = treeOf(outside);
        const before = treeOf(root);
        const connector = connect(root);
        const scope = await located({ connector }, id('7'));
        await erase({ connector }, scope);
        expect(treeOf(outside)).toEqual(outsideBefore);
        const after = treeOf(root);
        for (const path of Object.keys(before)) {
          if (after[path] === before[path]) continue;
          expect(path).toMatch(/^avatars\/7\.[^/]*$|^drafts\/7(\/|$)|^thumbs\/7_1\.jpg$|\.part$/);
          erased += 1;
        }
        links += Object.values(before).filter((one) => one.startsWith('→')).length;
        expect(sum((await connector.verify(scope)).remaining)).toBe(0);
      }),
      { numRuns: 400 },
    );
    expect(Math.min(links, erased)).toBeGreaterThan(50);
  });

  test('a folder that becomes a link between the search and the erasure leads nowhere', async () => {
    const root = makeTree();
    const outside = makeTree({ 'a/b.txt': 'of somebody else', 'c.bin': 'of somebody else' });
    const connector = connect(root);
    const keys = await arrayOf((await located({ connector }, id('7'))).keys());
    rmSync(join(root, 'drafts/7'), { recursive: true });
    symlinkSync(outside, join(root, 'drafts/7'));
    await erase({ connector }, scopeOf(id('7'), keys));
    expect(Object.keys(treeOf(outside))).toEqual(['a', 'a/b.txt', 'c.bin']);
  });
});

test('a tree of 100,000 files loses the 50 of one person and nothing else', async () => {
  const root = makeTree({});
  const person = (index: number) => `u${index % 2_000}`;
  for (let folder = 0; folder < 100; folder += 1) {
    mkdirSync(join(root, 'media', String(folder)), { recursive: true });
    for (let file = 0; file < 1_000; file += 1) {
      const index = folder * 1_000 + file;
      writeFileSync(join(root, 'media', String(folder), `${person(index)}_${index}.jpg`), '');
    }
  }
  const dataset = MEDIA.replace('"avatars/{user_id:word}.*"', '"media/*/{user_id:word}_{n:digits}.jpg"');
  const connector = connect(root, dataset);
  const { counts } = await erase({ connector }, await located({ connector }, id('u17')));
  expect(counts).toEqual({ avatars: 50 });
  const left = readdirSync(join(root, 'media'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.jpg'),
  );
  expect(left).toHaveLength(99_950);
  expect(left.filter((path) => /\/u17_/.test(path))).toEqual([]);
});
