import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runHabeas } from '../../test/run-habeas.ts';
import { shellQuoted } from './render/shell-quoted.ts';

const CONFIG = `
connections:
  - { key: uploads, kind: files, team: media, url: uploads, datasets: [uploads.yml] }
  - { key: shop, kind: sqlite, team: shop, url: shop.db, datasets: [shop.yml] }
`;
const UPLOADS = `
dataset:
  - fides_key: uploads
    collections:
      - name: photos
        habeas: { on_erase: delete, files: { path: "photos/{file}" } }
        fields: [{ name: file, data_categories: [user.content.photo], fides_meta: { identity: photo } }]
`;
const SHOP = `
dataset:
  - fides_key: shop
    collections:
      - name: photos
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: file, data_categories: [user.content.photo], fides_meta: { identity: photo } }
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'habeas-strays-'));
  mkdirSync(join(folder, 'uploads/photos'), { recursive: true });
  writeFileSync(join(folder, 'habeas.yaml'), CONFIG);
  writeFileSync(join(folder, 'uploads.yml'), UPLOADS);
  writeFileSync(join(folder, 'shop.yml'), SHOP);
  rows('create table photos (id integer primary key, file text)');
});
afterEach(() => rmSync(folder, { recursive: true }));

function rows(text: string): void {
  const database = new DatabaseSync(join(folder, 'shop.db'));
  database.exec(text);
  database.close();
}

const put = (name: string) => writeFileSync(join(folder, 'uploads/photos', name), '');
/** Everything here is written right before it is looked for. */
const strays = (...argv: readonly string[]) =>
  runHabeas(['strays', '--older-than', '0s', ...argv], { folder });

describe('habeas strays', () => {
  it('ends with 0 where every file has a row and every row a file', async () => {
    put('a.jpg');
    rows(`insert into photos values (1, 'a.jpg'), (2, null)`);
    const result = await strays();
    expect([result.exit, result.notes]).toEqual([0, '']);
    expect(result.out).toMatch(/photos +1 +0 +0\n/);
    expect(result.out).toMatch(/shop photos\.file +1 +0\n/);
  });

  it('removes what an ended process left beside a log, and says how much', async () => {
    writeFileSync(
      join(folder, 'habeas.yaml'),
      `${CONFIG}  - { key: web-logs, kind: logs, team: web, url: ., datasets: [logs.yml] }\n`,
    );
    writeFileSync(
      join(folder, 'logs.yml'),
      `dataset:
  - fides_key: logs
    collections:
      - name: app
        habeas: { on_erase: delete, logs: { path: "app.log*" } }
        fields: [{ name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }]`,
    );
    const left = join(folder, 'app.log.1.0123456789abcdef.fedcba987654-7-12345.habeas-unfinished');
    for (const [time, out] of [
      [new Date(), /web-logs: 0 unfinished files .* removed; 1 stay, .*\.\n/],
      [undefined, /web-logs: 0 unfinished files of ended processes were removed\.\n/],
    ] as const) {
      if (time === undefined) rmSync(left);
      else writeFileSync(left, 'of ann@example.com');
      const result = await strays('web-logs');
      expect([result.exit, result.notes]).toEqual([0, '']);
      expect(result.out).toMatch(out);
      expect((await strays('--json')).json()).toMatchObject({
        unfinished: [{ connection: 'web-logs', removed: 0, left: time === undefined ? 0 : 1 }],
      });
    }
  });

  it('counts what it found and ends with 1; what it is called is told only when asked for', async () => {
    put('left of ann@example.com.jpg');
    rows(`insert into photos values (1, 'gone of bob@example.com.jpg')`);
    const counts = await strays('uploads');
    expect([counts.exit, counts.notes]).toEqual([1, '']);
    expect(counts.out).toMatch(/photos +1 +1 +0\n/);
    expect(counts.out).not.toContain('example.com');
    const json = await strays('--json');
    expect([json.exit, json.out.includes('example.com')]).toEqual([1, false]);
    expect(json.json()).toMatchObject({
      complete: true,
      items: [{ connection: 'uploads', collections: [{ strays: 1 }], rows: [{ dangling: 1 }] }],
    });
    const listed = await strays('--list');
    expect(listed.out).toContain(`stray     uploads photos  'photos/left of ann@example.com.jpg'\n`);
    expect(listed.out).toContain(`dangling  shop photos  file='gone of bob@example.com.jpg'\n`);
  });

  it('lists hostile names on one line each, and whole in JSON', async () => {
    const name = '\u001b[2Jtwo\nlines\u202egpj.exe';
    put(name);
    const listed = await strays('--list');
    const lines = listed.out.split('\n').filter((line) => line.startsWith('stray '));
    expect(lines).toEqual([
      `stray     uploads photos  $'photos/\\033[2Jtwo\\012lines\\342\\200\\256gpj.exe'`,
    ]);
    const json = await strays('--list', '--json');
    expect(json.json()).toMatchObject({
      strays: [{ connection: 'uploads', collection: 'photos', name: `photos/${name}` }],
      dangling: [],
    });
  });

  it('takes what was just written for an upload under way', async () => {
    put('new.jpg');
    const result = await runHabeas(['strays'], { folder });
    expect([result.exit, result.out]).toEqual([0, expect.stringMatching(/photos +1 +0 +1\n/)]);
  });

  it('does not end with 0 where it could not look', async () => {
    put('left.jpg');
    rows('drop table photos');
    const result = await strays();
    expect(result.exit).toBe(3);
    expect(result.out).toMatch(/photos +1 +\? +\?\n/);
    expect(result.out.replaceAll(/\s+/g, ' ')).toContain('The rows of shop could not be read');
    const postgres = CONFIG.replace('kind: sqlite', 'kind: postgres').replace(
      'url: shop.db',
      'url: "postgres://nobody:secret-of-theirs@127.0.0.1:1/none"',
    );
    writeFileSync(join(folder, 'habeas.yaml'), postgres);
    const away = await strays();
    expect(away.exit).toBe(4);
    expect(away.out).not.toContain('secret-of-theirs');
    writeFileSync(join(folder, 'uploads.yml'), UPLOADS.replace('photos/{file}', 'photos/**'));
    const unfit = await strays();
    expect([unfit.exit, unfit.out.replaceAll(/\s+/g, ' ')]).toEqual([
      3,
      expect.stringContaining('names nobody'),
    ]);
  });

  it('finds strays beside a folder that is closed to this user, and calls no row dangling', () => {
    writeFileSync(join(folder, 'uploads.yml'), UPLOADS.replace('{file}', '{file:**}'));
    mkdirSync(join(folder, 'uploads/photos/closed'));
    put('closed/a.jpg');
    put('left.jpg');
    rows(`insert into photos values (1, 'closed/a.jpg'), (2, 'gone.jpg')`);
    chmodSync(join(folder, 'uploads/photos/closed'), 0);
    const habeas = new URL('../../bin/habeas.mjs', import.meta.url).pathname;
    const command = [process.execPath, habeas, 'strays', '--older-than', '0s', '--list', '--json'];
    // Nothing is closed to a root that has these capabilities.
    const asOther =
      process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : [];
    const [program = '', ...argv] = [...asOther, ...command];
    const { status, stdout, stderr } = spawnSync(program, argv, { cwd: folder, encoding: 'utf8' });
    expect([status, stderr]).toEqual([1, '']);
    expect(JSON.parse(stdout)).toMatchObject({
      complete: false,
      items: [
        {
          collections: [{ things: 1, strays: 1 }],
          rows: [{ values: 2, dangling: null }],
          problems: [{ message: expect.stringContaining('A folder of uploads may not be read') }],
        },
      ],
      strays: [{ name: 'photos/left.jpg' }],
      dangling: [],
    });
  });

  it.each([
    [['nowhere'], 'there are: uploads, shop'],
    [['shop'], 'have no names'],
    [['--older-than', 'soon'], '--older-than must be like'],
  ])('refuses %j', async (argv, message) => {
    const result = await strays(...argv);
    expect([result.exit, result.notes.replaceAll(/\s+/g, ' ')]).toEqual([
      2,
      expect.stringContaining(message),
    ]);
  });
});

describe('a name as a word of a shell', () => {
  it('is read by a shell as exactly these bytes, and has no control characters', () => {
    const names = fc.sample(fc.uint8Array({ minLength: 1, maxLength: 30 }), 300).map((bytes) => {
      // No name has a NUL.
      return Buffer.from(bytes.filter((byte) => byte !== 0));
    });
    names.push(
      ...[`'`, `\\'`, 'a b', 'é', '$(x)', '-n', '\u202ex', '~', '*', '\n1', '\u0301'].map((one) =>
        Buffer.from(one),
      ),
    );
    const words = names.filter(({ length }) => length > 0);
    const read = execFileSync('bash', ['-c', `printf '%s\\0' ${words.map(shellQuoted).join(' ')}`]);
    const expected = Buffer.concat(words.flatMap((word) => [word, Buffer.of(0)]));
    expect(read.equals(expected)).toBe(true);
    for (const word of words) expect(shellQuoted(word)).not.toMatch(/[\p{Cc}\p{Cf}\n]/u);
  });
});
