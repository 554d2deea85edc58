import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import { createTestDatabase } from '../../../test/database.ts';
import { createSqliteFile } from '../../../test/sqlite-file.ts';
import { type Clock, fixedClock } from '../../foundation/index.ts';
import { configureConnections } from '../configured-connections.ts';
import { loadConnectionKinds } from '../load-kinds.ts';
import { type FoundStrays, findStrays } from './find-strays.ts';

/** Long after everything here is written, so that nothing is young. */
const LATER = fixedClock('2100-01-01T00:00:00Z');
const HOUR = 3_600_000;

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

/** `photos.file` of a database names `photos/{file}`, what is made from it, and what is half there. */
const PHOTOS = `
dataset:
  - fides_key: uploads
    collections:
      - name: photos
        habeas: { on_erase: delete, files: { path: "photos/{file}", derived: ["thumbs/{stem}_{size:digits}.jpg", "tmp/{name}.part"] } }
        fields:
          - name: file
            data_categories: [user.content.photo]
            fides_meta: { references: [{ dataset: shop, field: photos.file, direction: from }] }
`;
const SHOP = `
dataset:
  - fides_key: shop
    collections:
      - name: photos
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: owner, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: file, data_categories: [user.content.photo] }
`;
const PHOTO_TABLE = 'create table photos (id integer primary key, owner text, file text)';

interface Given {
  readonly key: string;
  readonly kind: string;
  readonly url: string;
  readonly dataset: string;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-strays-'));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function newTree(paths: readonly (string | Buffer)[]): string {
  const root = newFolder();
  for (const path of paths) put(root, path);
  return root;
}

function put(root: string, path: string | Buffer): void {
  const file = Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path)]);
  mkdirSync(dirname(file.toString('latin1')), { recursive: true });
  writeFileSync(file, '');
}

/** A SQLite file with these rows of photos. */
function newShop(files: readonly (string | null)[], more: readonly string[] = []): string {
  const store = createSqliteFile();
  ends.push(store.remove);
  const values = files.map((file, id) => `(${id}, 'a@b.example', ${literal(file)})`);
  store.run([
    PHOTO_TABLE,
    ...(values.length === 0 ? [] : [`insert into photos values ${values.join(', ')}`]),
    ...more,
  ]);
  return store.file;
}

function literal(text: string | null): string {
  return text === null ? 'null' : `'${text.replaceAll("'", "''")}'`;
}

async function find(
  given: readonly Given[],
  options: { readonly clock?: Clock; readonly optional?: readonly string[] } = {},
): Promise<FoundStrays> {
  const folder = newFolder();
  const connections = given.map(({ dataset, ...one }) => {
    writeFileSync(join(folder, `${one.key}.yml`), dataset);
    return { ...one, team: 'media', datasets: [`${one.key}.yml`], concurrency: 1 };
  });
  const { clock = LATER } = options;
  const config = { connections, folder, file: undefined };
  const all = configureConnections({ config, kinds: await loadConnectionKinds(config), clock });
  const [store, ...others] = all;
  if (store === undefined) throw new Error('A store has to be given.');
  const found = await findStrays({
    store,
    others,
    olderThan: HOUR,
    optional: new Set(options.optional),
    clock,
    signal: AbortSignal.timeout(60_000),
  });
  ends.push(() => found[Symbol.dispose]());
  return found;
}

const uploads = (url: string, dataset = PHOTOS): Given => ({ key: 'uploads', kind: 'files', url, dataset });
const shop = (url: string, dataset = SHOP): Given => ({ key: 'shop', kind: 'sqlite', url, dataset });

const straysOf = (found: FoundStrays) => [...found.strays()].map(({ name }) => name).sort();
const danglingOf = (found: FoundStrays) =>
  [...found.dangling()].map(({ values }) => Object.values(values).join(' ').normalize('NFC')).sort();
const latin1 = (text: string) => Buffer.from(text).toString('latin1');

describe('strays', () => {
  it('are files that no row of PostgreSQL names, and rows whose file is gone dangle', async () => {
    await using database = await createTestDatabase();
    await sql.raw(PHOTO_TABLE.replace('table photos', 'table public.photos')).execute(database.db);
    await sql
      .raw(
        `insert into public.photos values (1, 'a@b.example', 'here.jpg'), (2, 'a@b.example', 'gone.jpg'), (3, null, null), (4, null, '')`,
      )
      .execute(database.db);
    const root = newTree([
      'photos/here.jpg',
      'photos/left.jpg',
      'other/no-photo.jpg',
      'photos/deeper/no-photo.jpg',
    ]);
    const found = await find([
      uploads(root),
      { key: 'shop', kind: 'postgres', url: database.url, dataset: SHOP },
    ]);
    expect(found.report).toEqual({
      connection: 'uploads',
      kind: 'files',
      collections: [{ collection: 'photos', things: 2, strays: 1, young: 0 }],
      rows: [{ connection: 'shop', collection: 'photos', fields: ['file'], values: 2, dangling: 1 }],
      problems: [],
      remarks: [],
    });
    expect([...found.strays()]).toEqual([{ collection: 'photos', name: 'photos/left.jpg' }]);
    expect([...found.dangling()]).toEqual([
      { connection: 'shop', collection: 'photos', values: { file: 'gone.jpg' } },
    ]);
  });

  it('are derived files and partial uploads without an original; with one they count as the original', async () => {
    const root = newTree([
      'photos/a.jpg',
      'thumbs/a_64.jpg',
      'tmp/a.jpg.part',
      'photos/left.jpg',
      'thumbs/left_64.jpg',
      'thumbs/gone_64.jpg',
      'tmp/upload.jpg.part',
    ]);
    const found = await find([uploads(root), shop(newShop(['a.jpg', 'gone.jpg', 'upload.jpg']))]);
    expect(straysOf(found)).toEqual(['photos/left.jpg', 'thumbs/gone_64.jpg', 'tmp/upload.jpg.part']);
    expect(danglingOf(found)).toEqual(['gone.jpg', 'upload.jpg']);
    expect(found.report.collections).toEqual([{ collection: 'photos', things: 7, strays: 3, young: 0 }]);
  });

  it('are not younger than was asked for, whatever time a copy was given', async () => {
    const root = newTree(['photos/new.jpg', 'photos/moved.jpg']);
    utimesSync(join(root, 'photos/moved.jpg'), 0, 0);
    const now = new Date();
    const asks = [uploads(root), shop(newShop([]))];
    const at = (milliseconds: number) => ({
      clock: fixedClock(new Date(now.getTime() + milliseconds).toISOString()),
    });
    const early = await find(asks, at(HOUR / 2));
    expect(early.report.collections).toEqual([{ collection: 'photos', things: 2, strays: 0, young: 2 }]);
    expect(straysOf(early)).toEqual([]);
    const late = await find(asks, at(2 * HOUR));
    expect(straysOf(late)).toEqual(['photos/moved.jpg', 'photos/new.jpg']);
  });

  it('are links themselves, which are never followed', async () => {
    const outside = newTree(['photos/other.jpg', 'secret.jpg']);
    const root = newTree(['photos/a.jpg']);
    symlinkSync(join(outside, 'secret.jpg'), join(root, 'photos/link.jpg'));
    symlinkSync(join(outside, 'nowhere.jpg'), join(root, 'photos/broken.jpg'));
    symlinkSync(join(outside, 'photos'), join(root, 'thumbs'));
    const found = await find([uploads(root), shop(newShop(['a.jpg', 'link.jpg', 'other.jpg']))]);
    expect(straysOf(found)).toEqual(['photos/broken.jpg']);
    expect(danglingOf(found)).toEqual(['other.jpg']);
  });

  it('are compared in composed and decomposed Unicode, byte for byte else, and names may be hostile', async () => {
    const names = [
      'Zoë.jpg'.normalize('NFD'),
      'Ångström.jpg'.normalize('NFC'),
      'two\nlines.jpg',
      ' .jpg',
      "'.jpg",
    ];
    const root = newTree([
      ...names.map((name) => `photos/${name}`),
      Buffer.from('photos/\xff.jpg', 'latin1'),
    ]);
    const rows = ['Zoë.jpg'.normalize('NFC'), 'Ångström.jpg'.normalize('NFD'), '\ufffd.jpg', "'.jpg"];
    const found = await find([uploads(root), shop(newShop(rows))]);
    expect(straysOf(found)).toEqual(['photos/ .jpg', 'photos/two\nlines.jpg', 'photos/\xff.jpg']);
    expect(danglingOf(found)).toEqual(['\ufffd.jpg']);
  });

  it('are compared without case where the identity is', async () => {
    const dataset = `
dataset:
  - fides_key: mail
    collections:
      - name: boxes
        habeas: { on_erase: delete, files: { path: "{email}/**" } }
        fields: [{ name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }]
`;
    const root = newTree(['A@B.example/1', 'A@B.example/x/2', 'c@d.example/3']);
    const found = await find([uploads(root, dataset), shop(newShop(['a.jpg']))]);
    expect(straysOf(found)).toEqual(['c@d.example/3']);
    expect(found.report.rows).toMatchObject([{ fields: ['owner'], values: 1, dangling: 0 }]);
  });

  it('are not what a mask has put in', async () => {
    const dataset = SHOP.replace(
      '[user.content.photo] }',
      '[user.content.photo], habeas: { mask: { strategy: hash } } }',
    ).replace('on_erase: delete', 'on_erase: mask');
    const url = newShop(['gone.jpg', 'erased-0123456789abcdef0123', null]);
    expect(danglingOf(await find([uploads(newTree(['photos/x'])), shop(url, dataset)]))).toEqual([
      'gone.jpg',
    ]);
  });

  it('leaves rows alone that need not have a file', async () => {
    const root = newTree(['photos/left.jpg']);
    const found = await find([uploads(root), shop(newShop(['gone.jpg']))], {
      optional: ['shop.photos.file'],
    });
    expect([straysOf(found), danglingOf(found), found.report.rows]).toEqual([['photos/left.jpg'], [], []]);
  });

  it('changes nothing', async () => {
    const root = newTree(['photos/left.jpg']);
    const file = newShop(['gone.jpg']);
    const before = readFileSync(file);
    await find([uploads(root), shop(file)]);
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(readFileSync(join(root, 'photos/left.jpg'), 'utf8')).toBe('');
  });
});

const TENANTS = `
dataset:
  - fides_key: tenants
    collections:
      - name: files
        habeas: { on_erase: delete, files: { path: "{tenant}/{file}" } }
        fields:
          - { name: tenant, data_categories: [user.unique_id], fides_meta: { identity: tenant_id } }
          - { name: file, data_categories: [user.content], fides_meta: { identity: file_name } }
`;
const rowsOf = (name: string, fields: readonly string[]) => `
      - name: ${name}
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
${fields.map((field) => `          - { name: ${field}, data_categories: [user.unique_id], fides_meta: { identity: ${field} } }`).join('\n')}`;

describe('names of several parts', () => {
  const tree = ['1/a', '1/b', '2/a', '2/c'];

  it('are compared together where rows have the parts together', async () => {
    const file = newShop(
      [],
      [
        'create table files (id integer primary key, tenant_id integer, file_name text)',
        `insert into files values (1, 1, 'a'), (2, 2, 'b'), (3, 2, 'c')`,
      ],
    );
    const dataset = `dataset:\n  - fides_key: shop\n    collections:${rowsOf('files', ['tenant_id', 'file_name'])}\n`;
    const found = await find([uploads(newTree(tree), TENANTS), shop(file, dataset)]);
    expect([straysOf(found), danglingOf(found), found.report.remarks]).toEqual([['1/b', '2/a'], ['2 b'], []]);
  });

  it('are compared part by part where no rows have them together, and that is said', async () => {
    const file = newShop(
      [],
      [
        'create table tenants (id integer primary key, tenant_id integer)',
        'create table files (id integer primary key, file_name text)',
        'insert into tenants values (1, 1), (2, 3)',
        `insert into files values (1, 'a'), (2, 'c')`,
      ],
    );
    const dataset = `dataset:\n  - fides_key: shop\n    collections:${rowsOf('tenants', ['tenant_id'])}${rowsOf('files', ['file_name'])}\n`;
    const found = await find([uploads(newTree(tree), TENANTS), shop(file, dataset)]);
    expect([straysOf(found), danglingOf(found)]).toEqual([['1/b', '2/a', '2/c'], ['3']]);
    expect(found.report.remarks).toEqual([expect.stringContaining('tenant_id and file_name')]);
  });
});

describe('what cannot be looked at', () => {
  it('is a problem, and nothing that depends on it is said', async () => {
    const root = newTree(['photos/left.jpg']);
    const found = await find([uploads(root), shop(join(newFolder(), 'no.db'))]);
    expect(found.report.collections).toEqual([
      { collection: 'photos', things: 1, strays: undefined, young: undefined },
    ]);
    expect(straysOf(found)).toEqual([]);
    expect(found.report.problems).toEqual([
      { message: expect.stringContaining('The rows of shop could not be read'), code: expect.any(String) },
    ]);
  });

  it('is the tree itself: no row then dangles for certain', async () => {
    const found = await find([uploads(join(newFolder(), 'unmounted')), shop(newShop(['a.jpg']))]);
    expect(found.report.rows).toMatchObject([{ values: 1, dangling: undefined }]);
    expect(danglingOf(found)).toEqual([]);
    expect(found.report.collections).toMatchObject([{ strays: undefined }]);
    expect(found.report.problems).toMatchObject([{ message: expect.stringContaining('is not there') }]);
  });

  it('is a kind that cannot list whom it knows, or that nobody has such rows', async () => {
    const root = newTree(['photos/a.jpg']);
    const alone = await find([
      uploads(root, PHOTOS.replace(/fides_meta: .*/, 'fides_meta: { identity: file }')),
    ]);
    expect(alone.report.problems).toEqual([
      { message: expect.stringContaining('No other connection has rows with file') },
    ]);
    expect(alone.report.collections).toMatchObject([{ things: 1, strays: undefined }]);
    const folder = newFolder();
    const module = join(folder, 'silent.ts');
    writeFileSync(
      module,
      `export const createConnector = () => ({ capabilities: new Set(['collect', 'resolve']), check() {}, collect() {}, erase() {}, verify() {}, resolve() {}, close: async () => undefined });`,
    );
    const found = await find([uploads(root), { key: 'shop', kind: module, url: folder, dataset: SHOP }]);
    expect(found.report.problems).toEqual([
      { message: expect.stringContaining('cannot list all that it knows') },
    ]);
    expect(found.report.collections).toMatchObject([{ things: 1, strays: undefined }]);
  });
});

describe('random trees and rows', () => {
  const part = fc.constantFrom('a', 'b', 'é', 'e\u0301', 'a_1', '_', '1', 'A');
  const file = fc.tuple(part, part, fc.constantFrom('jpg', 'png')).map((parts) => parts.join('.'));
  const thumb = fc
    .tuple(part, part, fc.constantFrom('1', '64'))
    .map(([a, b, size]) => `${a}.${b}_${size}.jpg`);
  const path = fc.oneof(
    file.map((name) => `photos/${name}`),
    thumb.map((name) => `thumbs/${name}`),
    file.map((name) => `tmp/${name}.part`),
    file.map((name) => `elsewhere/${name}`),
  );

  it('are told apart as by a look at each file and each row', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(path, { maxLength: 60 }),
        fc.array(file, { maxLength: 30 }),
        async (paths, rows) => {
          const found = await find([uploads(newTree(paths)), shop(newShop(rows))]);
          const want = naive(paths, rows);
          expect({ strays: straysOf(found), dangling: danglingOf(found) }).toEqual({
            strays: want.strays.map(latin1).sort(),
            dangling: [...want.dangling].sort(),
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  /** Each file against each row, by the words of the documentation. */
  function naive(paths: readonly string[], rows: readonly string[]) {
    const same = (a: string, b: string) => a.normalize('NFC') === b.normalize('NFC');
    const originals = paths
      .filter((one) => one.startsWith('photos/'))
      .map((one) => one.slice('photos/'.length));
    const strays = paths.filter((one) => {
      const [folder, name = ''] = one.split('/');
      if (folder === 'photos') return !rows.some((row) => same(row, name));
      if (folder === 'tmp') return !originals.some((original) => `${original}.part` === name);
      if (folder !== 'thumbs') return false;
      return !originals.some((original) => {
        const stem = original.slice(0, original.lastIndexOf('.'));
        return name.startsWith(`${stem}_`) && /^\d+\.jpg$/.test(name.slice(stem.length + 1));
      });
    });
    // Rows that are the same in another form are found by each other, and one of them is shown.
    const dangling = new Map<string, string>();
    for (const row of rows)
      if (!originals.some((original) => same(original, row)) && !dangling.has(row.normalize('NFC')))
        dangling.set(row.normalize('NFC'), row);
    return { strays, dangling: new Set([...dangling.values()].map((one) => one.normalize('NFC'))) };
  }
});
