import { describe, expect, it } from 'vitest';
import { readHeader, readRow } from './row-request.ts';

const options = { ignore: new Set<string>(), known: new Set(['customer_id']), right: undefined };
const columns = readHeader(['right', 'email', 'phone_number', 'customer_id', 'reference'], options);
const row = (...cells: readonly string[]) => readRow({ line: 2, cells }, columns, undefined);

describe('a header', () => {
  it.each([
    [['right', 'emial'], 'emial'],
    [['right', 'e-mail'], 'column 2'],
    [['right', 'email', 'email'], 'two columns email'],
    [['right'], 'no column is an identity'],
    [['email'], 'no column right'],
    [['ann@example.com', 'access'], 'column 1'],
  ])('%j is refused', (header, words) => {
    expect(() => readHeader(header, options)).toThrow(words);
  });

  it('may leave out columns, and needs no right where all rows have one', () => {
    const read = readHeader(['email', 'Full name'], {
      ...options,
      ignore: new Set(['Full name']),
      right: 'erasure',
    });
    expect(readRow({ line: 2, cells: ['a@x.org', '=cmd()'] }, read, 'erasure')).toEqual({
      right: 'erasure',
      identities: [{ type: 'email', value: 'a@x.org' }],
      reference: undefined,
    });
  });
});

describe('a row', () => {
  it('asks for its right about all its identities', () => {
    expect(row('Erasure ', ' a@x.org ', '', '17', 'case-9')).toEqual({
      right: 'erasure',
      identities: [
        { type: 'email', value: 'a@x.org' },
        { type: 'customer_id', value: '17' },
      ],
      reference: 'case-9',
    });
  });

  it('loses the apostrophe by which a spreadsheet keeps a text from being run', () => {
    expect(row('access', '', "'+49 30 1234", '', '')).toMatchObject({
      identities: [{ type: 'phone_number', value: '+49 30 1234' }],
    });
    expect(row('access', "'tis@x.org", '', '', '')).toMatchObject({ identities: [{ value: "'tis@x.org" }] });
  });

  it.each([
    ['=HYPERLINK("http://evil.example")', 'formula'],
    ["'=1+1", 'formula'],
    ['@SUM(A1)', 'formula'],
    ['-1+cmd|calc', 'formula'],
    ['+cmd|calc', 'formula'],
    ['4.91E+11', 'rounded'],
    ['4,91E+11', 'rounded'],
    ['#REF!', 'spreadsheet'],
    ['#N/A', 'spreadsheet'],
    ['a\u200b@x.org', 'cannot be seen'],
    ['a\u202e@x.org', 'cannot be seen'],
    ['a\n@x.org', 'cannot be seen'],
    ['jos\ufffd@x.org', 'another encoding'],
  ])('with %j is refused, and the text holds nothing of it', (value, words) => {
    const read = row('access', value, '', '', '');
    expect(read).toEqual({ mistake: expect.stringMatching(`^email .*${words}`) });
    expect(JSON.stringify(read)).not.toMatch(/evil|SUM|calc|491/);
  });

  it.each([
    [['delete', 'a@x.org', '', '', ''], 'right must be one of'],
    [['rectification', 'a@x.org', '', '', ''], 'right must be one of'],
    [['access', '', ' ', '', ''], 'names nobody'],
    [['access', 'a@x.org'], '2 cells'],
    [['access', 'x'.repeat(1_001), '', '', ''], 'too long'],
    [['access', 'a@x.org', '', '', 'r'.repeat(201)], 'reference'],
  ])('that is %j is refused', (cells, words) => {
    expect(row(...cells)).toEqual({ mistake: expect.stringContaining(words) });
  });
});
