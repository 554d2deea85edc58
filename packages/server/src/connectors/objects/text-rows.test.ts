import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvFormat } from './csv.ts';
import { csvRecords } from './csv-records.ts';
import { jsonLines, jsonRows } from './json-lines.ts';
import type { RowChange, RowFormat } from './row-format.ts';
import { createRowSearch, type RowColumn, type RowSearch } from './row-search.ts';
import { spliced } from './splice.ts';

const { signal } = new AbortController();
const exact = (...path: string[]): RowColumn => ({ path, match: 'exact' });
const folded = (...path: string[]): RowColumn => ({ path, match: 'case-insensitive' });

/** Who is looked for by one column. */
function people(column: RowColumn, ...values: string[]): RowSearch {
  return createRowSearch(values.map((value, who) => ({ who, all: [{ column, value }] })));
}

async function rewritten(
  format: RowFormat,
  bytes: Buffer,
  search: RowSearch,
  change: RowChange = { kind: 'drop' },
) {
  const source = {
    size: bytes.length,
    read: async (offset: number, length: number) => bytes.subarray(offset, offset + length),
  };
  const file = await format.open(source, { search, signal });
  const parts: Buffer[] = [];
  const { rows, of } = await file.rewrite(change, async (part) => {
    parts.push(Buffer.from(part));
  });
  const found = await Array.fromAsync(file.find({ content: true }));
  return {
    rows,
    of: Object.fromEntries(of),
    bytes: parts.length === 0 ? undefined : Buffer.concat(parts),
    found: found.map(({ content }) => content),
  };
}

const text = async (format: RowFormat, from: string, search: RowSearch, change?: RowChange) => {
  const { bytes, ...rest } = await rewritten(format, Buffer.from(from), search, change);
  return { text: bytes?.toString(), ...rest };
};

describe('JSON lines', () => {
  const ann = people(folded('email'), 'ann@example.com');
  test.each([
    ['a value in another case', '{"email":"Ann@Example.COM"}'],
    ['spaces around', ' { "email" : "ann@example.com" } '],
    ['every letter escaped', '{"email":"\\u0061nn\\u0040example.com"}'],
    ['a name that is escaped', '{"em\\u0061il":"ann@example.com"}'],
    ['the first of two members of a name', '{"email":"ann@example.com","email":"bob@example.com"}'],
    ['a line that was cut off behind the value', '{"email":"ann@example.com","na'],
    ['one of a list', '{"email":["bob@example.com","ann@example.com"]}'],
  ])('%s is found', async (_, line) => {
    const given = `{"email":"bob@example.com"}\r\n${line}\n{"email":"joann@example.com"}\n`;
    expect(await text(jsonLines, given, ann)).toMatchObject({
      rows: 1,
      of: { 0: 1 },
      text: '{"email":"bob@example.com"}\r\n{"email":"joann@example.com"}\n',
    });
  });

  test.each([
    ['a longer value', '{"email":"ann@example.com.au"}'],
    ['another member', '{"to":"ann@example.com"}'],
    ['the member of an object within', '{"by":{"email":"ann@example.com"}}'],
    ['a text with the whole line in it', '{"note":"{\\"email\\":\\"ann@example.com\\"}"}'],
    ['a list without a member', '["ann@example.com"]'],
    ['nothing at all', ''],
  ])('%s is not found', async (_, line) => {
    expect(await text(jsonLines, `${line}\n`, ann)).toEqual({ rows: 0, of: {}, text: undefined, found: [] });
  });

  test('ids are compared by their digits, and falsy ones are ids', async () => {
    const lines = [
      '{"id":0,"n":1}',
      '{"id":"","n":2}',
      '{"id":null,"n":3}',
      '{"id":12345678901234567891,"n":4}',
      '{"id":12345678901234567890,"n":5}',
      '{"id":false,"n":6}',
      '{"id":"0","n":7}',
    ];
    const given = `${lines.join('\n')}\n`;
    const left = async (value: string) => {
      const { text: stays } = await text(jsonLines, given, people(exact('id'), value));
      return lines.filter((line) => stays !== undefined && !stays.includes(line)).map((line) => line.at(-2));
    };
    expect(await left('0')).toEqual(['1', '7']);
    expect(await left('')).toEqual(['2']);
    expect(await left('12345678901234567891')).toEqual(['4']);
    const { found } = await text(jsonLines, given, people(exact('id'), '12345678901234567891'));
    expect(found).toEqual([{ id: '12345678901234567891', n: 4 }]);
  });

  test('a key of two parts has to stand in one line', async () => {
    const search = createRowSearch([
      {
        who: 5,
        all: [
          { column: exact('user', 'id'), value: '7' },
          { column: exact('tenant'), value: 'a' },
        ],
      },
    ]);
    const given =
      '{"user":{"id":7},"tenant":"a"}\n{"user":{"id":7},"tenant":"b"}\n{"user":{"id":8},"tenant":"a"}\n';
    expect(await text(jsonLines, given, search)).toMatchObject({
      of: { 5: 1 },
      text: '{"user":{"id":7},"tenant":"b"}\n{"user":{"id":8},"tenant":"a"}\n',
    });
  });

  test('values are masked where they stand, and the rest of the line stays', async () => {
    const change: RowChange = {
      kind: 'mask',
      columns: [
        { path: ['email'], mask: () => null },
        { path: ['who', 'name'], mask: (value) => `erased "${String(value).length}"` },
      ],
    };
    const given =
      '\uFEFF{"email": "ann@example.com" ,"who":[{"name":"Ann"},{"name":null}],"n":1.50}\r\n{"email":"b"}\n';
    expect((await text(jsonLines, given, ann, change)).text).toBe(
      '\uFEFF{"email": null ,"who":[{"name":"erased \\"3\\""},{"name":null}],"n":1.50}\r\n{"email":"b"}\n',
    );
  });

  test('bytes that are no UTF-8 stay as they are', async () => {
    const strange = Buffer.from([123, 34, 110, 34, 58, 34, 0xff, 0xfe, 34, 125, 10]);
    const given = Buffer.concat([strange, Buffer.from('{"email":"ann@example.com"}\n'), strange]);
    expect((await rewritten(jsonLines, given, ann)).bytes).toEqual(Buffer.concat([strange, strange]));
  });

  test('a line that is no JSON and has the value is refused, one without it stays', async () => {
    await expect(text(jsonLines, 'ann@example.com logged in\n', ann)).rejects.toMatchObject({
      code: 'SYSTEM_FAILED',
      message: expect.stringMatching(/begins at byte 0 .* is no JSON/),
    });
    expect((await text(jsonLines, 'C:\\users logged in\n{"email":"ann@example.com"}\n', ann)).text).toBe(
      'C:\\users logged in\n',
    );
  });

  test('a line that does not end within 64 MiB is refused, and never in memory as a whole', async () => {
    let read = 0;
    const source = {
      size: 2 ** 40,
      read: async (_: number, length: number) => {
        read += length;
        return Buffer.alloc(length, 'a');
      },
    };
    const file = await jsonLines.open(source, { search: ann, signal });
    await expect(file.rewrite({ kind: 'drop' }, async () => undefined)).rejects.toMatchObject({
      code: 'SYSTEM_FAILED',
      message: expect.stringMatching(/longer than 64 MiB/),
    });
    expect(read).toBeLessThan(100 << 20);
  });

  test('exactly the lines go that a parser of JSON would say', async () => {
    const id = fc.constantFrom('a', 'A', '"', 'é', 'e\u0301', '\\', '', '7', 'aa');
    const value = fc.oneof(id, fc.constantFrom(7, 0, null, 1.5), fc.array(id, { maxLength: 2 }));
    const escaped = fc.boolean();
    const row = fc.tuple(fc.record({ id: value, x: id }), escaped);
    const ending = fc.constantFrom('\n', '\r\n');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(row, ending), { maxLength: 8 }), id, async (rows, wanted) => {
        const lines = rows.map(([[object, isEscaped], end]) => {
          const json = JSON.stringify(object);
          const ascii = json.replaceAll(
            /[^ -~]/g,
            (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
          );
          return { object, line: (isEscaped ? ascii : json) + end };
        });
        const isTheirs = (one: unknown): boolean =>
          Array.isArray(one)
            ? one.some(isTheirs)
            : one !== null && String(one).normalize('NFC') === wanted.normalize('NFC');
        const stays = lines.filter(({ object }) => !isTheirs(object.id)).map(({ line }) => line);
        const all = lines.map(({ line }) => line).join('');
        const got = await text(jsonLines, all, people(exact('id'), wanted));
        expect(got.text ?? all).toBe(stays.join(''));
        expect(got.rows).toBe(lines.length - stays.length);
      }),
      { numRuns: 500 },
    );
  });

  test('exactly the lines go whose number is the same, whatever stands between its digits', async () => {
    const between = fc.constantFrom('', '', ' ', '-', '.', '/', '(', ')', '(0)');
    const digits = fc.constantFrom('+44207946', '0044207946', '44207946', '207946', '46', '-');
    const number = fc
      .tuple(digits, fc.array(between, { minLength: 10, maxLength: 10 }))
      .map(([all, gaps]) => [...all].map((digit, at) => digit + gaps[at]).join(''));
    const line = fc.tuple(fc.oneof(number, fc.constantFrom('', null, 207_946)), number);
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 8 }), number, async (rows, wanted) => {
        const plain = (one: unknown) =>
          String(one ?? '')
            .replaceAll(/\(0\)|[-. /()]/g, '')
            .replace(/^00/, '+');
        const isTheirs = (one: unknown) => /\d/.test(plain(wanted)) && plain(one) === plain(wanted);
        const lines = rows.map(([tel, x]) => ({ tel, line: `${JSON.stringify({ x, tel })}\n` }));
        const stays = lines.filter(({ tel }) => !isTheirs(tel)).map((one) => one.line);
        const all = lines.map((one) => one.line).join('');
        const column: RowColumn = { path: ['tel'], match: 'exact', spelling: 'telephone' };
        const got = await text(jsonLines, all, people(column, wanted));
        expect(got.text ?? all).toBe(stays.join(''));
      }),
      { numRuns: 500 },
    );
  });

  test('a line that is no JSON and has the number is refused, one without it stays', async () => {
    const ann = people({ path: ['tel'], match: 'exact', spelling: 'telephone' }, '+44 20 7946');
    await expect(text(jsonLines, '{"a":1}\n{tel: 0044-20.7946}\n', ann)).rejects.toThrow('byte 8');
    expect(await text(jsonLines, '{tel: 0044-20.7945}\n', ann)).toMatchObject({ rows: 0 });
  });

  test('what stands behind a + in a mailbox is left out where it says so', async () => {
    const ann = people(
      { path: ['box'], match: 'case-insensitive', spelling: 'mailbox' },
      'ann+shop@example.com',
    );
    const theirs = ['ann@example.com', 'Ann+News+x@Example.com', 'ann\\u002ba@example.com'];
    const others = [
      'anna@example.com',
      '+ann@example.com',
      '\\"ann+a\\"@example.com',
      'ann+shop@example.org',
    ];
    const lines = (all: readonly string[]) => all.map((box) => `{"box":"${box}"}\n`).join('');
    expect(await text(jsonLines, lines([...theirs, ...others]), ann)).toMatchObject({
      rows: 3,
      text: lines(others),
    });
  });
});

describe('CSV', () => {
  const csv = csvFormat({ delimiter: ',', columns: undefined });
  const ann = people(folded('email'), 'ann@example.com');

  test('records of the person go, and every other one stays as it is written', async () => {
    const header = '\uFEFFid,"email",note\r\n';
    const others = '1,bob@example.com,"said ""ann@example.com"",\r\nand left"\n\n2,joann@example.com,x"y\n';
    const given = `${header}3,"ANN@example.com","two\nlines"\r\n${others}4,ann@example.com,last`;
    expect(await text(csv, given, ann)).toEqual({
      rows: 2,
      of: { 0: 2 },
      text: header + others,
      found: [
        { id: '3', email: 'ANN@example.com', note: 'two\nlines' },
        { id: '4', email: 'ann@example.com', note: 'last' },
      ],
    });
  });

  test('cells are masked, and what needs quotes gets them', async () => {
    const change: RowChange = {
      kind: 'mask',
      columns: [
        { path: ['email'], mask: () => null },
        { path: ['note'], mask: () => 'a,b' },
      ],
    };
    const given = 'id,email,note\n1,ann@example.com,"x"\r\n';
    expect((await text(csv, given, ann, change)).text).toBe('id,email,note\n1,,"a,b"\r\n');
  });

  test('columns without a header, another delimiter, an empty id', async () => {
    const format = csvFormat({ delimiter: ';', columns: ['id', 'x'] });
    expect((await text(format, ';1\n0;2\n7;3\n', people(exact('id'), '', '0'))).text).toBe('7;3\n');
  });

  test.each([
    ['id,email\n1,"a"b\n', /goes on behind its quotes/],
    ['id,email\n1,"a\n', /never ends/],
    ['id,email\n1,a,b\n', /has 3 cells, and there are 2 columns/],
  ])('%j is refused', async (given, message) => {
    await expect(text(csv, given, ann)).rejects.toMatchObject({
      code: 'SYSTEM_FAILED',
      message: expect.stringMatching(message),
    });
  });

  test('a file without the column is refused, an empty one has nobody', async () => {
    await expect(text(csv, 'id,mail\n1,ann@example.com\n', ann)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
    });
    expect((await text(csv, '', ann)).rows).toBe(0);
  });

  test('exactly the records go that another parser would say', async () => {
    const cell = fc
      .array(fc.constantFrom('a', 'A', ',', '"', '\n', '\r\n', 'é', ' '), { maxLength: 4 })
      .map((letters) => letters.join(''));
    const written = (one: string, isQuoted: boolean) =>
      isQuoted || /[",\n\r]/.test(one) || one === '' ? `"${one.replaceAll('"', '""')}"` : one;
    const record = fc.tuple(cell, cell, fc.boolean(), fc.constantFrom('\n', '\r\n'));
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 6 }), cell, async (records, wanted) => {
        const lines = records.map(
          ([id, x, isQuoted, end]) => `${written(id, isQuoted)},${written(x, false)}${end}`,
        );
        const all = `id,x\n${lines.join('')}`;
        const parsed: readonly { id: string }[] = parse(all, {
          columns: true,
          record_delimiter: ['\r\n', '\n'],
        });
        const stays = lines.filter((_, at) => parsed[at]?.id !== wanted);
        const got = await text(csv, all, people(exact('id'), wanted));
        expect(got.text ?? all).toBe(`id,x\n${stays.join('')}`);
      }),
      { numRuns: 500 },
    );
  });
});

describe('wherever a file is cut into parts', () => {
  const cut = async function* (bytes: Buffer, size: number) {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  };
  const rowsOf = async (rows: AsyncIterable<{ from: number; to: number }>) =>
    (await Array.fromAsync(rows)).map(({ from, to }) => [from, to]);

  test.each([1, 2, 3, 7, 1_000])('lines of JSON are the same; parts of %d', async (size) => {
    const given = Buffer.from('{"email":"a"}\r\n{"email":"b"}\n\n{"email":"\\u0061"}\n{"email":"a"}');
    const search = people(exact('email'), 'a');
    expect(await rowsOf(jsonRows(cut(given, size), { search, signal }))).toEqual([
      [0, 15],
      [30, 49],
      [49, 62],
    ]);
  });

  test.each([1, 2, 3, 7, 1_000])('records of CSV are the same; parts of %d', async (size) => {
    const given = Buffer.from('a,"b\n"",\r\n"\r\n\r\n"x"\r\n1,2\n"",""');
    const records = await Array.fromAsync(csvRecords(cut(given, size), 44));
    expect(records.map(({ at, bytes }) => [at, bytes.toString()])).toEqual([
      [0, 'a,"b\n"",\r\n"\r\n'],
      [15, '"x"\r\n'],
      [20, '1,2\n'],
      [24, '"",""'],
    ]);
  });

  test('bytes are replaced once', async () => {
    const splice = fc.record({ gap: fc.nat(4), length: fc.nat(4), by: fc.string({ maxLength: 3 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(splice, { maxLength: 5 }),
        fc.integer({ min: 1, max: 12 }),
        async (wanted, size) => {
          let given = '';
          let expected = '';
          const splices = wanted.map(({ gap, length, by }) => {
            // Nothing is put in where nothing goes.
            const from = given.length + gap;
            given += 'k'.repeat(gap) + 'x'.repeat(length + 1);
            expected += 'k'.repeat(gap) + by;
            return { from, to: given.length, by: Buffer.from(by) };
          });
          const parts = await Array.fromAsync(spliced(cut(Buffer.from(`${given}end`), size), splices));
          expect(Buffer.concat(parts).toString()).toBe(`${expected}end`);
        },
      ),
    );
  });
});

test.each([
  ['gzip', gzipSync, gunzipSync],
  ['zstd', zstdCompressSync, zstdDecompressSync],
] as const)('%s is unpacked and packed again', async (_, pack, unpack) => {
  const lines = Array.from({ length: 20_000 }, (__, at) => `{"id":${at},"text":"line ${at}"}\n`);
  const { bytes, rows } = await rewritten(
    jsonLines,
    pack(Buffer.from(lines.join(''))),
    people(exact('id'), '0', '777', '19999'),
  );
  expect(rows).toBe(3);
  expect(unpack(bytes ?? Buffer.alloc(0)).toString()).toBe(
    lines.filter((__, at) => ![0, 777, 19_999].includes(at)).join(''),
  );
});

test('a packed object that is damaged is left', async () => {
  const packed = gzipSync(Buffer.from('{"id":1}\n'.repeat(1_000)));
  const search = people(exact('id'), '1');
  await expect(rewritten(jsonLines, packed.subarray(0, 40), search)).rejects.toMatchObject({
    code: 'SYSTEM_FAILED',
    message: expect.stringMatching(/cut off or damaged/),
  });
});

test('a packed object that was made to fill a disk is given up before it does, and is left', async () => {
  const line = Buffer.from(`{"id":1,"t":"${'x'.repeat(1 << 16)}"}\n`);
  const packed = gzipSync(Buffer.concat(Array.from({ length: 64 }, () => line)));
  const source = {
    size: packed.length,
    read: async (offset: number, length: number) => packed.subarray(offset, offset + length),
  };
  const written: Buffer[] = [];
  const open = async (mostRatio: number) => {
    const limits = { alwaysAllowed: 1 << 20, mostRatio };
    const file = await jsonLines.open(source, { search: people(exact('id'), '1'), signal, limits });
    return file.rewrite({ kind: 'drop' }, async (part) => void written.push(Buffer.from(part)));
  };
  await expect(open(500)).rejects.toMatchObject({
    code: 'SYSTEM_FAILED',
    retryable: false,
    message: expect.stringMatching(/grows to more than 500 times its size/),
  });
  expect(written).toEqual([]);
  expect(await open(2_000)).toMatchObject({ rows: 64 });
});
