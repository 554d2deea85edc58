import { describe, expect, it } from 'vitest';
import { readRows } from './read-rows.ts';

const rows = [{ id: 1, city: 'Bonn' }, { id: 2 }];

describe('a file that a team hands over', () => {
  it.each([
    ['collections', 'x.json', JSON.stringify({ visits: rows, mails: [] }), { visits: rows, mails: [] }],
    ['a list', 'visits.json', JSON.stringify(rows), { visits: rows }],
    ['lines', 'visits.jsonl', `${JSON.stringify(rows[0])}\n\n${JSON.stringify(rows[1])}\n`, { visits: rows }],
    ['one row', 'visit.json', '{ "id": 1 }', { visit: [{ id: 1 }] }],
  ])('is read as %s', (_, name, text, wanted) => {
    expect(readRows(name, text)).toEqual(wanted);
  });

  it.each([
    ['name,city\nAda,Bonn', 'Line 1 is not JSON'],
    ['[1, 2]', 'Row 1 of file is not an object'],
    ['"ada@example.org"', 'neither rows nor'],
  ])('that is something else is refused without repeating it: %s', (text, message) => {
    expect(() => readRows('file.csv', text)).toThrow(message);
    expect(() => readRows('file.csv', text)).not.toThrow(/Ada|ada@/);
  });
});
