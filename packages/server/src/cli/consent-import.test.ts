import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type HabeasHouse, openHabeasHouse } from '../../test/habeas-house.ts';

let house: HabeasHouse;
beforeEach(async () => {
  house = await openHabeasHouse();
  writeFileSync(
    join(house.folder, 'purposes.yaml'),
    'purposes: [{ code: analytics, name: { en: Analytics }, legal_basis: consent }]',
  );
  writeFileSync(join(house.folder, 'habeas.yaml'), 'consent: { purposes: purposes.yaml }');
});
afterEach(() => house[Symbol.asyncDispose]());

const HEADER = 'identity_type,identity_value,said_at,analytics\n';
const rowOf = (person: number) => `email,p${person}@example.org,2026-01-01T00:00:00Z,${person % 2}\n`;

async function serve() {
  const { url, key } = await house.serve();
  const habeas = (argv: readonly string[], to = url) =>
    house.run(['consent', 'import', ...argv], { HABEAS_URL: to, HABEAS_API_KEY: key });
  const stored = async () => {
    const { rows } = await house.database.pool.query('select count(*)::int as n from habeas.consent_signals');
    return rows[0].n;
  };
  return { url, habeas, stored };
}

it('stores all rows but those that are wrong, tells their lines and nothing of them, and changes nothing the second time', async () => {
  const { habeas, stored } = await serve();
  const lines = [
    rowOf(1),
    'email,"ada@example.org,2026-01-01T00:00:00Z,1\n',
    rowOf(2),
    'email,bob,never,1\n',
    rowOf(3),
  ];
  writeFileSync(join(house.folder, 'old.csv'), HEADER + lines.join(''));
  const dry = await habeas(['old.csv', '--dry-run']);
  expect([dry.exit, dry.out.split('\n').at(-2), await stored()]).toEqual([
    1,
    '3 rows can be stored, 2 cannot.',
    0,
  ]);
  const first = await habeas(['old.csv', '--refused', 'refused.jsonl']);
  expect(first.notes).toBe('5 rows, until line 6\n');
  expect([first.exit, first.out]).toEqual([
    1,
    'line 3: A quote in it is not closed, it is longer than 64 KiB, or the row that goes on behind this line is wrong. (malformed-row)\n' +
      'line 5: These fields are missing, wrong or unknown: said_at. (malformed-row)\n' +
      '3 rows stored, 0 were there, 2 refused.\n',
  ]);
  const refused = readFileSync(join(house.folder, 'refused.jsonl'), 'utf8');
  expect(
    refused
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).line),
  ).toEqual([3, 5]);
  expect(refused + first.out).not.toMatch(/ada@|bob/);
  const again = await habeas(['old.csv', '--json']);
  expect(again.json()).toEqual({ name: 'old.csv', rows: 5, stored: 0, repeated: 3, checked: 0, refused: 2 });
  expect(await stored()).toBe(3);
});

it.each([
  ['a folder that is not there', 'none/refused.jsonl', 'ENOENT', 0],
  ['a disk that is full', '/dev/full', 'ENOSPC', 1],
])('says so when what was refused cannot be written, as in %s', async (_, file, code, there) => {
  const { habeas, stored } = await serve();
  writeFileSync(join(house.folder, 'old.csv'), `${HEADER}${rowOf(1)}email,bob,never,1\n`);
  const { exit, notes } = await habeas(['old.csv', '--refused', file]);
  expect([exit, notes]).toEqual([2, expect.stringContaining(`${file} cannot be written (${code}).`)]);
  expect(await stored()).toBe(there);
});

it('says with which line to go on after an interruption, and goes on there', async () => {
  const { url, habeas, stored } = await serve();
  const people = 16_000;
  const rows = Array.from({ length: people }, (_, person) => rowOf(person));
  // A quote that nobody closes where the second piece ends.
  rows[9_998] = 'email,"open,2026-01-01T00:00:00Z,1\n';
  writeFileSync(join(house.folder, 'old.csv'), HEADER + rows.join(''));
  let calls = 0;
  const broken = createServer(async (request, response) => {
    const body = await buffer(request);
    calls += 1;
    if (calls > 2) return void response.destroy();
    const { authorization = '', 'content-type': type = '' } = request.headers;
    const headers = { authorization, 'content-type': type };
    const answer = await fetch(`${url}${request.url}`, { method: 'POST', headers, body });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  });
  await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve));
  const cut = await habeas(['old.csv'], `http://127.0.0.1:${(broken.address() as AddressInfo).port}`);
  broken.close();
  expect(cut.exit).not.toBe(0);
  const [, line = ''] = /go on with --from-line (\d+)/.exec(cut.notes) ?? [];
  expect(line).toBe('10002');
  expect(await stored()).toBe(9_999);
  const on = await habeas(['old.csv', '--from-line', line]);
  expect([on.exit, on.out]).toEqual([0, '6000 rows stored, 0 were there, 0 refused.\n']);
  expect(await stored()).toBe(people - 1);
});

it('goes through a file of any size in the same memory, also with quotes that are not closed', () => {
  const file = join(house.folder, 'large.csv');
  const out = openSync(file, 'w');
  writeSync(out, HEADER);
  const block = Buffer.from(Array.from({ length: 20_000 }, (_, person) => rowOf(person)).join(''));
  for (let count = 0; count < 150; count += 1) {
    writeSync(out, block);
    writeSync(out, 'email,"open,2026-01-01T00:00:00Z,1\n');
  }
  closeSync(out);
  const cutter = pathToFileURL(join(import.meta.dirname, 'cut-list.ts')).href;
  const script = `
    const { cutList } = await import(${JSON.stringify(cutter)});
    const before = process.resourceUsage().maxRSS;
    let last = 0;
    for await (const piece of cutList(${JSON.stringify(file)}, { rows: 5000, bytes: 4194304, openQuote: 'own-row' })) last = piece.nextLine;
    console.log(JSON.stringify({ last, grown: process.resourceUsage().maxRSS - before }));`;
  const { last, grown } = JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }),
  );
  expect(last).toBe(150 * 20_001 + 2);
  // The file has 140 MB.
  expect(grown).toBeLessThan(90 * 1_024);
});

it.each([
  ['csv', HEADER, rowOf],
  [
    'jsonl',
    '',
    (person: number) =>
      `{"identity":{"type":"user_id","value":"u${person}"},"said_at":"2026-01-01T00:00:00Z","choices":{"analytics":true}}\n`,
  ],
])(
  'refuses lines of %s that are longer than any row, wherever they are cut, and stores all others',
  async (end, header, row) => {
    const { habeas, stored } = await serve();
    const long = (length: number) => `${'x'.repeat(length)}\n`;
    // Three of 5 MB, and one across each 4 MiB of the file that are read at once.
    const lines = [
      row(1),
      long(5_000_000),
      row(2),
      long(5_000_000),
      long(5_000_000),
      row(3),
      long(70_000),
      row(4),
    ];
    writeFileSync(join(house.folder, `long.${end}`), header + lines.join('') + long(4_000_000).trim());
    const { exit, out } = await habeas([`long.${end}`, '--refused', 'refused.jsonl']);
    expect([exit, out.split('\n').at(-2)]).toEqual([1, '4 rows stored, 0 were there, 5 refused.']);
    const first = header === '' ? 1 : 2;
    const refused = readFileSync(join(house.folder, 'refused.jsonl'), 'utf8').trim().split('\n');
    expect(refused.map((one) => JSON.parse(one).line - first)).toEqual([1, 3, 4, 6, 8]);
    expect(await stored()).toBe(4);
  },
);

it.each(['old.csv', 'link.csv'])(
  'never writes what was refused over the list itself, named as %s',
  async (file) => {
    const { habeas } = await serve();
    writeFileSync(join(house.folder, 'old.csv'), HEADER + rowOf(1));
    symlinkSync('old.csv', join(house.folder, 'link.csv'));
    const { exit, notes } = await habeas(['old.csv', '--refused', file]);
    expect([exit, notes]).toEqual([2, expect.stringContaining(`${file} is the list itself.`)]);
    expect(readFileSync(join(house.folder, 'old.csv'), 'utf8')).toBe(HEADER + rowOf(1));
  },
);

it('leaves out what stands before a line, and keeps what was refused there', async () => {
  const { habeas, stored } = await serve();
  const wrong = 'email,bob,never,1\n';
  writeFileSync(
    join(house.folder, 'old.csv'),
    HEADER + [rowOf(1), wrong, rowOf(2), wrong, rowOf(3)].join(''),
  );
  writeFileSync(join(house.folder, 'refused.jsonl'), '{"line":3}\n');
  const { out } = await habeas(['old.csv', '--from-line', '4', '--refused', 'refused.jsonl']);
  expect(out.split('\n').at(-2)).toBe('2 rows stored, 0 were there, 1 refused.');
  expect(await stored()).toBe(2);
  const refused = readFileSync(join(house.folder, 'refused.jsonl'), 'utf8').trim().split('\n');
  expect(refused.map((one) => JSON.parse(one).line)).toEqual([3, 5]);
});

it.each([
  ['a compressed one', 'old.csv.gz', Buffer.of(0x1f, 0x8b, 8, 0), 'is compressed (gzip)'],
  ['one in UTF-16', 'old.csv', Buffer.from(`\ufeff${HEADER}`, 'utf16le'), 'is in UTF-16'],
  ['Parquet that is called otherwise', 'old.dat', Buffer.from('PAR1....'), '--format parquet'],
  ['a folder', '.', undefined, 'is no file'],
  ['a pipe', '/dev/zero', undefined, 'is no file'],
  ['one of which no list can have the name', 'old list.csv', Buffer.from(HEADER), '--name'],
])('says what is wrong with a list that is none, such as %s', async (_, file, bytes, words) => {
  const { habeas } = await serve();
  if (bytes !== undefined) writeFileSync(join(house.folder, file), bytes);
  const { exit, notes } = await habeas([file]);
  expect([exit, notes.replace(/\s+/g, ' ')]).toEqual([2, expect.stringContaining(words)]);
});

it('does not wait for who might write to a pipe', async () => {
  const { habeas } = await serve();
  execFileSync('bash', ['-c', 'mkfifo "$0"', join(house.folder, 'old.csv')]);
  const { exit, notes } = await habeas(['old.csv']);
  expect([exit, notes.replace(/\s+/g, ' ')]).toEqual([2, expect.stringContaining('is no file')]);
});

it('stores nobody under letters that could not be read', async () => {
  const { habeas, stored } = await serve();
  const row = 'email,m\u00fcller@example.org,2026-01-01T00:00:00Z,1\n';
  writeFileSync(join(house.folder, 'old.csv'), Buffer.from(HEADER + row + rowOf(1), 'latin1'));
  const { out } = await habeas(['old.csv']);
  expect(out).toBe(
    'line 2: It has letters that are not in UTF-8. (malformed-row)\n1 rows stored, 0 were there, 1 refused.\n',
  );
  expect(await stored()).toBe(1);
});
