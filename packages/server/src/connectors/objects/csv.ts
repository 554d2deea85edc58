import { HabeasError } from '../../foundation/index.ts';
import { broken, type CsvRecord, cellText, csvRecords } from './csv-records.ts';
import type { ColumnMask, OpenRows, RowFormat } from './row-format.ts';
import type { RowSearch } from './row-search.ts';
import type { Splice } from './splice.ts';
import { type TextRow, textFormat } from './text-rows.ts';

export interface CsvOptions {
  /** One ASCII character. */
  readonly delimiter: string;
  /** Names of the columns; undefined: the first record has them. */
  readonly columns: readonly string[] | undefined;
}

/** Comma separated values, after RFC 4180, with any delimiter. */
export function csvFormat({ delimiter, columns }: CsvOptions): RowFormat {
  const code = delimiter.charCodeAt(0);
  return textFormat('csv', (parts, options) => scan(parts, { ...options, delimiter: code, columns }));
}

async function* scan(
  parts: AsyncIterable<Buffer>,
  options: OpenRows & { readonly delimiter: number; readonly columns: readonly string[] | undefined },
): AsyncGenerator<TextRow> {
  const { search } = options;
  let names = options.columns;
  let places = names === undefined ? [] : placesOf(search, names);
  for await (const record of csvRecords(parts, options.delimiter)) {
    if (names === undefined) {
      names = namesIn(record);
      places = placesOf(search, names);
      continue;
    }
    const columns = names;
    const count = record.cells.length / 2;
    if (count !== columns.length)
      throw broken(record.at, `has ${count} cells, and there are ${columns.length} columns`);
    const row = places.map((place, column) => {
      const text = place < 0 ? undefined : search.textOf(column, cellText(record, place));
      return text === undefined ? [] : [text];
    });
    const whose = search.whose(row);
    if (whose.size === 0) continue;
    yield {
      from: record.at,
      to: record.at + record.bytes.length,
      whose,
      content: () => Object.fromEntries(columns.map((name, at) => [name, cellText(record, at)])),
      masked: (masks) => masks.flatMap((mask) => maskOf(record, columns, mask)),
    };
  }
}

const MARK = '\uFEFF';

function namesIn(record: CsvRecord): readonly string[] {
  const names = Array.from({ length: record.cells.length / 2 }, (_, column) => cellText(record, column));
  const [first = '', ...more] = names;
  if (!first.startsWith(MARK)) return names;
  const plain = first.slice(1);
  return [plain.startsWith('"') ? plain.slice(1, -1).replaceAll('""', '"') : plain, ...more];
}

/** Where the columns that are looked for are; -1: nowhere. */
function placesOf(search: RowSearch, names: readonly string[]): readonly number[] {
  const places = search.columns.map(({ path }) => names.indexOf(path.join('.')));
  if (places.every((place) => place < 0) && places.length > 0) {
    const wanted = search.columns.map(({ path }) => `"${path.join('.')}"`).join(', ');
    throw new HabeasError(
      'SCHEMA_MISMATCH',
      `A CSV object has none of the columns ${wanted}; nothing was changed. Correct the dataset, or name the columns there if the objects have no header.`,
    );
  }
  return places;
}

function maskOf(record: CsvRecord, names: readonly string[], { path, mask }: ColumnMask): readonly Splice[] {
  const column = names.indexOf(path.join('.'));
  if (column < 0) return [];
  const from = record.at + (record.cells[2 * column] ?? 0);
  const to = record.at + (record.cells[2 * column + 1] ?? 0);
  const by = mask(cellText(record, column)) ?? '';
  const isPlain = /^[\w.@ -]*$/.test(by);
  return [{ from, to, by: Buffer.from(isPlain ? by : `"${by.replaceAll('"', '""')}"`) }];
}
