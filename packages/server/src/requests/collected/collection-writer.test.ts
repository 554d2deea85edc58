import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { constants, crc32, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TextRows } from '../../connectors/index.ts';
import { csvLine } from '../../foundation/index.ts';
import { CollectionWriter, partOf } from './collection-writer.ts';
import { PiecePacker, type TextPiece } from './pack-piece.ts';

type TextRow = Readonly<Record<string, string | null>>;

/** As the store gives them. */
function textsOf(columns: readonly string[], rows: readonly TextRow[]): TextRows {
  const parts: Buffer[] = [];
  for (const row of rows) {
    const count = Buffer.alloc(2);
    count.writeInt16BE(columns.length);
    parts.push(count);
    for (const column of columns) {
      const value = row[column] ?? null;
      const bytes = Buffer.from(value ?? '');
      const length = Buffer.alloc(4);
      length.writeInt32BE(value === null ? -1 : bytes.length);
      parts.push(length, bytes);
    }
  }
  return { collection: 'orders', columns, count: rows.length, bytes: Buffer.concat(parts) };
}

function fileOf(pieces: readonly TextPiece[], part: string): string {
  return Buffer.concat(pieces.filter((piece) => piece.part === part).map(({ bytes }) => bytes)).toString();
}

const text = fc.oneof(
  fc.string({ unit: 'binary' }).filter((value) => value.isWellFormed()),
  fc.string({
    unit: fc.constantFrom(
      'a',
      '"',
      '\\',
      ',',
      '\n',
      '\r',
      '\t',
      ' ',
      '=',
      '+',
      '-',
      '@',
      '\u0001',
      '\u007f',
      'é',
      '\u00a0',
      '😀',
    ),
  }),
  fc.constantFrom('=1+1', ' padded ', 'x'.repeat(5_000), '"'.repeat(5_000), '\u2028', ''),
);
const table = fc
  .uniqueArray(fc.oneof(fc.constantFrom('id', '"quoted"', '__proto__', 'ñ', '1'), text), {
    minLength: 1,
    maxLength: 4,
  })
  .chain((columns) =>
    fc.record({
      columns: fc.constant(columns),
      rows: fc.array(
        fc
          .array(fc.option(text), { minLength: columns.length, maxLength: columns.length })
          .map(
            (values): TextRow =>
              Object.fromEntries(columns.map((column, at) => [column, values[at] ?? null])),
          ),
        { minLength: 1, maxLength: 30 },
      ),
      batches: fc.integer({ min: 1, max: 30 }),
    }),
  );

describe('rows of texts', () => {
  it('become the same JSON, CSV and schema as objects do, however they are cut into batches', () => {
    fc.assert(
      fc.property(table, ({ columns, rows, batches }) => {
        const writer = new CollectionWriter('orders', 7);
        for (let at = 0; at < rows.length; at += batches)
          writer.addTexts(textsOf(columns, rows.slice(at, at + batches)));
        const { pieces, collection } = writer.end();
        const json = rows.map(
          (row) =>
            `{${columns.map((name) => `${JSON.stringify(name)}:${JSON.stringify(row[name])}`).join(',')}}`,
        );
        expect(fileOf(pieces, partOf(7, 'json'))).toBe(`[\n${json.join(',\n')}\n]\n`);
        expect(fileOf(pieces, partOf(7, 'csv'))).toBe(
          [csvLine(columns), ...rows.map((row) => csvLine(columns.map((name) => row[name])))].join(''),
        );
        expect(collection).toMatchObject({ columns, rows: rows.length, required: columns });
        for (const column of columns) {
          const types = new Set(rows.map((row) => (row[column] === null ? 'null' : 'string')));
          expect(Object.entries(collection.types ?? {}).find(([name]) => name === column)?.[1]).toEqual(
            [...types].sort(),
          );
        }
      }),
      { numRuns: 500 },
    );
  });

  it('that are no UTF-8 stand there as a reader of UTF-8 would show them', () => {
    const texts = textsOf(['name'], [{ name: 'Zoe' }]);
    texts.bytes[texts.bytes.length - 1] = 0xeb;
    const writer = new CollectionWriter('people', 0);
    writer.addTexts(texts);
    const { pieces } = writer.end();
    // Reading it as text would hide bytes that are none.
    for (const { bytes } of pieces) expect(isUtf8(bytes)).toBe(true);
    expect(JSON.parse(fileOf(pieces, partOf(0, 'json')))).toEqual([{ name: 'Zo\ufffd' }]);
    expect(fileOf(pieces, partOf(0, 'csv'))).toBe('name\r\nZo\ufffd\r\n');
  });
});

describe('a collection', () => {
  it('has the values in its CSV that reading its JSON gives', () => {
    const writer = new CollectionWriter('odd', 0);
    const row = {
      at: new Date(0),
      none: undefined,
      no: Number.NaN,
      deep: { a: [1, null] },
      is: true,
      n: -5.5,
    };
    writer.add(row);
    const { pieces } = writer.end();
    const [read] = JSON.parse(fileOf(pieces, partOf(0, 'json')));
    const columns = Object.keys(row);
    expect(fileOf(pieces, partOf(0, 'csv'))).toBe(
      csvLine(columns) + csvLine(columns.map((name) => read[name])),
    );
  });

  it('whose later rows have more columns has no CSV yet, and all columns', () => {
    const writer = new CollectionWriter('ragged', 0);
    writer.add({ a: 1 });
    writer.add({ b: 2 });
    const { collection } = writer.end();
    expect(collection.columns).toEqual(['a', 'b']);
    expect(collection.files?.csv).toBeUndefined();
  });

  it('whose later rows have fewer columns has a CSV with as many cells in each line', () => {
    const writer = new CollectionWriter('hidden', 0);
    writer.addTexts(textsOf(['a', 'b', 'c'], [{ a: '1', b: '2', c: '3' }]));
    writer.addTexts(textsOf(['c', 'a'], [{ a: '4', c: null }]));
    writer.add({ b: 5 });
    const { pieces, collection } = writer.end();
    expect(fileOf(pieces, partOf(0, 'csv'))).toBe('a,b,c\r\n1,2,3\r\n4,,\r\n,5,\r\n');
    expect(collection.required).toEqual([]);
  });

  it('is packed in pieces that are one file when they stand behind each other, and told of by its size and hashes', async () => {
    const packer = new PiecePacker();
    const packed = new Map<string, Buffer[]>();
    const pack = async (pieces: readonly TextPiece[]) => {
      for (const piece of pieces) {
        const done = packed.get(piece.part) ?? [];
        expect(piece.position).toBe(done.length);
        done.push(Buffer.from((await packer.pack(piece)).bytes));
        packed.set(piece.part, done);
      }
    };
    const writer = new CollectionWriter('many', 3);
    for (let id = 0; id < 20_000; id += 1) {
      writer.add({ id, text: `${id} again and again` });
      await pack(writer.takeFull());
    }
    const { pieces, collection } = writer.end();
    await pack(pieces);
    packer.close();
    const { json, csv } = collection.files ?? {};
    for (const [part, file] of [
      [partOf(3, 'json'), json],
      [partOf(3, 'csv'), csv],
    ] as const) {
      const all = packed.get(part) ?? [];
      expect(all.length).toBeGreaterThan(1);
      const content = inflateRawSync(Buffer.concat(all), { finishFlush: constants.Z_SYNC_FLUSH });
      expect(file).toEqual({
        size: content.length,
        pieces: all.length,
        crc: crc32(content),
        sha256: createHash('sha256').update(content).digest('hex'),
        deflated: true,
      });
      // Each can be opened without the ones before.
      const last = inflateRawSync(all.at(-1) ?? Buffer.alloc(0), { finishFlush: constants.Z_SYNC_FLUSH });
      expect(content.subarray(content.length - last.length).equals(last)).toBe(true);
    }
  });
});
