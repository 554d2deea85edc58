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

it('refuses a list whose columns are not known', () => {
  expect(() => parseRows('mail,said_at\na,b\n', csv)).toThrow(
    expect.objectContaining({ code: 'BAD_INPUT', message: expect.stringContaining('identity_type') }),
  );
  expect(() => parseRows(`${HEADER}email,"ada`, csv)).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }));
});
