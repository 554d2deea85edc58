import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readTable } from '../partners/index.ts';
import { type CutOptions, cutList } from './cut-list.ts';

async function cut(text: string, options?: CutOptions) {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-list-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'list.csv'), text);
  const pieces = [];
  for await (const piece of cutList(join(folder, 'list.csv'), options)) pieces.push(piece);
  return pieces;
}

/** What a server reads from the pieces, with lines of the whole list. */
const readPieces = (pieces: Awaited<ReturnType<typeof cut>>) =>
  pieces.flatMap(({ body, firstLine }) =>
    readTable(body).rows.map(({ line, cells }) => ({ line: line - 2 + firstLine, cells })),
  );

describe('a list that is cut into pieces', () => {
  it('is the same list, with the same lines, wherever it is cut', async () => {
    const cell = fc.constantFrom('a', '', 'two\nlines', 'say "hi"', 'x,y', '\r\n', 'é');
    const quoted = (text: string) => (/["\n,\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell), { maxLength: 30 }),
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom('\n', '\r\n'),
        async (rows, most, end) => {
          const text = `a,b${end}${rows.map((row) => row.map(quoted).join(',') + end).join('')}`;
          expect(readPieces(await cut(text, { rows: most }))).toEqual(readTable(Buffer.from(text)).rows);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is cut by its bytes too, and a header alone is one piece', async () => {
    const text = `a,b\n${`${'x'.repeat(100)},y\n`.repeat(20)}`;
    expect((await cut(text, { bytes: 500 })).map(({ firstLine }) => firstLine)).toEqual([2, 7, 12, 17]);
    expect((await cut('a,b\n')).map(({ body, firstLine }) => [body.toString(), firstLine])).toEqual([
      ['a,b\n', 2],
    ]);
    expect(await cut('')).toHaveLength(1);
  });

  it('with a quote that is never closed is given up before it fills the memory', async () => {
    await expect(cut(`a,b\n"open,\n${'row,row\n'.repeat(200_000)}`)).rejects.toThrow(
      'The row in line 2 is larger',
    );
  });

  it('is cut at each end of a line, if it has lines and no header', async () => {
    const pieces = await cut('{"a":"say \\"hi"}\n{"b":1}\n\n{"c":1}', { rows: 2, format: 'lines' });
    expect(pieces.map(({ body, firstLine, nextLine }) => [body.toString(), firstLine, nextLine])).toEqual([
      ['{"a":"say \\"hi"}\n{"b":1}\n', 1, 3],
      ['\n{"c":1}', 3, 5],
    ]);
  });
});
