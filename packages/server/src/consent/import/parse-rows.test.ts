import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseRows } from './parse-rows.ts';

const csv = { format: 'csv', name: 'may', firstLine: 2 } as const;
const HEADER = 'identity_type,identity_value,said_at,analytics,ads,notice_version,notice_language\n';

it('reads tables, with the lines of the whole list', () => {
  const text = `${HEADER}email,ada@x.org,2026-05-01T10:00:00Z,true,,2026-03,de\n"email","two\nlines",2026-05-01T10:00:00Z,0,granted,,\nemail,bob@x.org,2026-05-01T10:00:00Z,1,denied,,\n`;
  expect(parseRows(text, { ...csv, firstLine: 100 })).toEqual([
    {
      line: 100,
      signal: {
        eventId: 'may:100',
        identity: { type: 'email', value: 'ada@x.org' },
        saidAt: new Date('2026-05-01T10:00:00Z'),
        choices: { analytics: true },
        source: 'file',
        notice: { version: '2026-03', language: 'de', variant: '' },
      },
    },
    expect.objectContaining({
      line: 101,
      signal: expect.objectContaining({ choices: { analytics: false, ads: true } }),
    }),
    expect.objectContaining({ line: 103, signal: expect.objectContaining({ eventId: 'may:103' }) }),
  ]);
});

it.each([
  ['email,ada@x.org,yesterday,true,,,', 'said_at'],
  ['email,,2026-05-01T10:00:00Z,true,,,', 'identity.value'],
  ['E-Mail,ada@x.org,2026-05-01T10:00:00Z,true,,,', 'identity.type'],
  ['email,ada@x.org,2026-05-01T10:00:00Z,maybe,,,', 'neither'],
  ['email,ada@x.org,2026-05-01T10:00:00Z,true', '4 cells'],
  ['email,ada@x.org,2026-05-01T10:00:00Z,true,,2026-03,', 'notice.language'],
])('says what is wrong with a row, and nothing of it: %s', (row, words) => {
  const [wrong, right] = parseRows(`${HEADER}${row}\nemail,bob@x.org,2026-05-01T10:00:00Z,1,,,\n`, csv);
  expect(wrong).toEqual({ line: 2, problem: expect.stringContaining(words) });
  expect(JSON.stringify(wrong)).not.toContain('ada');
  expect(right).toMatchObject({ line: 3, signal: { choices: { analytics: true } } });
});

it('reads lines of JSON, the damaged ones and the empty ones among them', () => {
  const said = {
    identity: { type: 'email', value: 'ada@x.org' },
    said_at: '2026-05-01T10:00:00Z',
    choices: { a: true },
  };
  const rows = [
    JSON.stringify({ event_id: 'own', ...said }),
    '{"identity":',
    '',
    JSON.stringify({ ...said, mail: 'ada@x.org' }),
    JSON.stringify(said),
  ];
  const read = parseRows(rows.join('\r\n'), { format: 'json-lines', name: 'may', firstLine: 1 });
  expect(read).toEqual([
    { line: 1, signal: expect.objectContaining({ eventId: 'own' }) },
    { line: 2, problem: 'The line is no JSON.' },
    { line: 4, problem: expect.stringContaining('the row') },
    { line: 5, signal: expect.objectContaining({ eventId: 'may:5' }) },
  ]);
  expect(JSON.stringify(read[2])).not.toContain('ada');
});

it('refuses the row alone whose notice no database can keep', () => {
  const row = (version: string, language: string) =>
    `email,ada@x.org,2026-05-01T10:00:00Z,true,,${version},${language}\n`;
  const rows = [row('2026\0', 'de'), row('2026', '\ud800'), row('2026', 'de')].join('');
  expect(parseRows(`${HEADER}${rows}`, csv)).toEqual([
    { line: 2, problem: expect.stringContaining('notice.version') },
    { line: 3, problem: expect.stringContaining('notice.language') },
    expect.objectContaining({ line: 4, signal: expect.anything() }),
  ]);
});

it('reads lists that begin with a byte order mark', () => {
  const said = { identity: { type: 'email', value: 'ada@x.org' }, said_at: '2026-05-01T10:00:00Z' };
  const line = JSON.stringify({ ...said, choices: { a: true } });
  const lines = parseRows(`\ufeff${line}\n${line}\n`, { format: 'json-lines', name: 'may', firstLine: 1 });
  expect(lines).toMatchObject([{ signal: { eventId: 'may:1' } }, { signal: { eventId: 'may:2' } }]);
  const table = parseRows(`\ufeff${HEADER}email,ada@x.org,2026-05-01T10:00:00Z,1,,,\n`, csv);
  expect(table).toMatchObject([{ line: 2, signal: { choices: { analytics: true } } }]);
});

it.each([
  [
    'whose lines end in carriage returns',
    'identity_type,identity_value,said_at,a\remail,ada@x.org,2026-05-01T10:00:00Z,1\r',
    'line feeds',
  ],
  [
    'with two columns of one purpose',
    'identity_type,identity_value,said_at,a,b,a\nemail,ada@x.org,2026-05-01T10:00:00Z,0,,1\n',
    'Column 6',
  ],
])('refuses a list %s, and repeats nothing of it', (_, text, words) => {
  const refusal = { code: 'BAD_INPUT', message: expect.stringContaining(words) };
  expect(() => parseRows(text, csv)).toThrow(expect.objectContaining(refusal));
  expect(() => parseRows(text, csv)).not.toThrow(/ada/);
});

it('refuses a list whose columns are not known', () => {
  expect(() => parseRows('mail,said_at\na,b\n', csv)).toThrow(
    expect.objectContaining({ code: 'BAD_INPUT', message: expect.stringContaining('identity_type') }),
  );
});

const GOOD = 'email,ada@x.org,2026-05-01T10:00:00Z,true,,,';
const OPEN =
  'A quote in it is not closed, it is longer than 64 KiB, or the row that goes on behind this line is wrong.';

it.each([
  ['at the end', [GOOD, 'email,"ada', ''], [3]],
  ['in the middle', ['email,"ada@x.org,2026-05-01T10:00:00Z,true,,,', GOOD, GOOD], [2]],
  ['and closed by that of another row', ['email,"a,b,1,,,', GOOD, 'email,b",c,1,,,', GOOD], [2]],
  ['twice', [GOOD, 'email,"a', 'email,"b', GOOD], [3, 4]],
])('refuses the row whose quote is not closed by its line, %s, and reads all others', (_, rows, wrong) => {
  const read = parseRows(`${HEADER}${rows.join('\n')}`, csv);
  expect(read.filter((row) => 'problem' in row && row.problem === OPEN).map(({ line }) => line)).toEqual(
    wrong,
  );
  const good = rows.flatMap((row, index) => (row === GOOD ? [index + 2] : []));
  expect(read.filter((row) => 'signal' in row).map(({ line }) => line)).toEqual(good);
});

it('loses no row behind whatever quotes, and tells the line of each that it refuses', () => {
  const cell = fc.constantFrom('a@x.org', 'say "hi"', 'two\nlines', 'x,y', 'é');
  const quoted = (text: string) => (/["\n,]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const row = fc.record({
    value: cell,
    broken: fc.constantFrom(undefined, undefined, undefined, '"open', 'a"b,"'),
  });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 12 }), fc.constantFrom('\n', '\r\n'), (rows, end) => {
      let line = 2;
      const good: [number, string][] = [];
      const text = rows.map(({ value, broken }) => {
        const at = line;
        line += broken === undefined ? value.split('\n').length : 1;
        if (broken !== undefined) return `email,${broken}${end}`;
        good.push([at, value]);
        return `email,${quoted(value)},2026-05-01T10:00:00Z,true,,,${end}`;
      });
      const read = parseRows(HEADER.replace('\n', end) + text.join(''), csv);
      const values = read.flatMap((one) => ('signal' in one ? [[one.line, one.signal.identity.value]] : []));
      expect(values).toEqual(good);
      const lines = read.map((one) => one.line);
      expect(lines).toEqual([...new Set(lines)].sort((one, other) => one - other));
    }),
    { numRuns: 100 },
  );
});

it('reads rows without quotes, whatever stands in them, as the same rows with quotes', () => {
  const plain = fc.array(
    fc.string({ unit: 'grapheme', maxLength: 8 }).filter((cell) => !/["\n,\r]/.test(cell)),
    { minLength: 3, maxLength: 7 },
  );
  const cells = fc.oneof(
    plain,
    fc
      .record({
        type: fc.constantFrom('email', 'E mail', ''),
        value: fc.string({ maxLength: 9 }).filter((cell) => !/["\n,\r]/.test(cell)),
        yes: fc.constantFrom('1', ' denied ', 'x', ''),
      })
      .map(({ type, value, yes }) => [type, value, '2026-05-01T10:00:00Z', yes, '', '', '']),
  );
  const lines = fc.array(fc.record({ cells, end: fc.constantFrom('\n', '\r\n') }), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(lines, fc.boolean(), (rows, isEnded) => {
      const written = (write: (cell: string) => string) => {
        const text = rows.map((row) => row.cells.map(write).join(',') + row.end).join('');
        return parseRows(HEADER + (isEnded ? text : text.replace(/\r?\n$/, '')), csv);
      };
      // A line of blanks is none; with quotes it would be a row of one cell.
      fc.pre(rows.every((row) => row.cells.join(',').trim() !== ''));
      expect(written((cell) => cell)).toEqual(written((cell) => `"${cell}"`));
    }),
    { numRuns: 100 },
  );
});

it('refuses rows with letters that are not in UTF-8, which would be of nobody', () => {
  const said = { said_at: '2026-05-01T10:00:00Z', choices: { a: true } };
  const lines = ['m\ufffdller', 'müller'].map((value) =>
    JSON.stringify({ identity: { type: 'user_id', value }, ...said }),
  );
  const words = { problem: expect.stringContaining('UTF-8') };
  expect(parseRows(lines.join('\n'), { format: 'json-lines', name: 'may', firstLine: 1 })).toMatchObject([
    { line: 1, ...words },
    { line: 2, signal: { identity: { value: 'müller' } } },
  ]);
  const rows = ['m\ufffdller', 'müller', '"m\ufffd,ller"'].map(
    (value) => `user_id,${value},2026-05-01T10:00:00Z,1,,,\n`,
  );
  expect(parseRows(HEADER + rows.join(''), csv)).toMatchObject([
    { line: 2, ...words },
    { line: 3, signal: { identity: { value: 'müller' } } },
    { line: 4, ...words },
  ]);
});

it.each([
  ['letters', 'x'.repeat(70_000)],
  ['bytes', 'é'.repeat(40_000)],
])('refuses a line that has too many %s to be a row by its line, and reads all others', (_, long) => {
  const said = JSON.stringify({
    identity: { type: 'user_id', value: 'ada' },
    said_at: '2026-05-01T10:00:00Z',
    choices: { a: true },
  });
  const words = { problem: expect.stringContaining('64 KiB') };
  expect(
    parseRows(`${said}\n"${long}"\n${said}\n`, { format: 'json-lines', name: 'may', firstLine: 1 }),
  ).toMatchObject([
    { line: 1, signal: {} },
    { line: 2, ...words },
    { line: 3, signal: {} },
  ]);
  expect(parseRows(`${HEADER}${GOOD}\n${long}\n${GOOD}\n`, csv)).toMatchObject([
    { line: 2, signal: {} },
    { line: 3, ...words },
    { line: 4, signal: {} },
  ]);
});
