import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvLine } from '../../foundation/index.ts';
import { readTable } from './read-table.ts';

const read = (text: string | Uint8Array) => readTable(typeof text === 'string' ? Buffer.from(text) : text);

describe('a list', () => {
  it('is read with or without a byte order mark, whatever ends its lines and parts its cells', () => {
    for (const mark of ['', '\ufeff']) {
      for (const end of ['\n', '\r\n', '\r']) {
        for (const part of [',', ';', '\t']) {
          const text =
            mark +
            [
              ['right', 'email'],
              ['access', 'a@x.org'],
            ]
              .map((row) => row.join(part) + end)
              .join('');
          expect(read(text)).toEqual({
            header: ['right', 'email'],
            rows: [{ line: 2, cells: ['access', 'a@x.org'] }],
            unreadFrom: undefined,
          });
        }
      }
    }
  });

  it('says of each row where it begins, also after empty lines and cells with line breaks', () => {
    const text = 'right,note,email\r\naccess,"one\r\ntwo",a\r\n\r\n\r\nerasure,,b\r\n"e",,"c"';
    expect(read(text).rows.map(({ line, cells }) => [line, cells.at(-1)])).toEqual([
      [2, 'a'],
      [6, 'b'],
      [7, 'c'],
    ]);
  });

  it('gives back what was written, for any text in its cells', () => {
    const cell = fc
      .string({ unit: 'grapheme', maxLength: 20 })
      .filter((text) => !/\r|\0/.test(text) && text.isWellFormed());
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 20 }), (pairs) => {
        const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
        const text = `a,b\n${pairs.map((pair) => `${pair.map(quoted).join(',')}\n`).join('')}`;
        expect(read(text).rows.map(({ cells }) => cells)).toEqual(pairs.map((pair) => [...pair]));
      }),
    );
  });

  it('that our own exports wrote is read again', () => {
    const rows = [
      ['access', 'a@x.org'],
      ['erasure', 'x,"y"'],
    ];
    const text = csvLine(['right', 'email']) + rows.map(csvLine).join('');
    expect(read(text).rows.map(({ cells }) => cells)).toEqual(rows);
  });

  it.each([
    ['right,email\naccess,a\naccess,b"c\naccess,d\n', 3],
    ['right,email\naccess,a\naccess,"never closed\naccess,d\n', 3],
    [`right,email\naccess,a\naccess,${'x'.repeat(70_000)}\n`, 3],
  ])('is read up to the row from which on nothing is sure: %#', (text, from) => {
    const table = read(text);
    expect([table.rows.length, table.unreadFrom]).toEqual([1, from]);
  });

  it('in another encoding is refused, with the line and nothing of it', () => {
    const latin = Buffer.from('right,email\naccess,ok\naccess,jos\u00e9@x.org\n', 'latin1');
    expect(() => read(latin)).toThrow(/^Line 3 .* not in UTF-8/);
    expect(() => read(Buffer.from('\ufeffright,email', 'utf16le'))).toThrow('UTF-16');
    expect(() => read('right,email\naccess,a\0b')).toThrow('Line 2 of the list holds a NUL');
    expect(() => read('')).toThrow('no header');
  });

  it('is never more than its bytes say: any bytes are read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          readTable(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: 'BAD_INPUT' });
        }
      }),
    );
  });
});
