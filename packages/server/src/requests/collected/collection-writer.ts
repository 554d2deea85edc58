import type { TextRows } from '../../connectors/index.ts';
import { csvLine } from '../../foundation/index.ts';
import { type ColumnTypes, RowShape } from '../package/row-schema.ts';
import { CollectedFile, type FileSummary } from './collected-file.ts';
import type { TextPiece } from './pack-piece.ts';
import { writeTexts } from './write-texts.ts';

export interface CollectedCollection {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: number;
  /** Of all rows as JSON, one a line. Those that were collected by an older Habeas do not say. */
  readonly bytes?: number;
  /** Absent in what was collected before there were schemas. */
  readonly types?: ColumnTypes;
  readonly required?: readonly string[];
  /** Absent in what was collected before files of packages were written with the rows. */
  readonly files?: CollectedFiles;
}

export interface CollectedFiles {
  /** Counts the collections of one task; names the parts in which the files lie. */
  readonly number: number;
  readonly json: FileSummary;
  /** Absent where a later row had a column that the first ones had not: the package then makes it of the JSON. */
  readonly csv?: FileSummary;
}

/** Where the pieces of a file lie. They are read in the order of these names. */
export function partOf(number: number, file: 'json' | 'csv'): string {
  return `${String(number).padStart(6, '0')}.${file === 'json' ? 1 : 2}`;
}

/**
 * Writes the rows of one collection as the files that a package has of it, piece by piece: a JSON array with a row a line, and CSV. So
 * nothing is read and written again when the package is built.
 */
export class CollectionWriter {
  readonly #name: string;
  readonly #number: number;
  readonly #columns = new Set<string>();
  readonly #shape = new RowShape();
  readonly #json: CollectedFile;
  #csv: CollectedFile | undefined;
  /** The columns of the CSV, once it is begun. */
  #header: readonly string[] = [];
  #rows = 0;

  constructor(name: string, number: number) {
    this.#name = name;
    this.#number = number;
    this.#json = new CollectedFile(partOf(number, 'json'));
    this.#csv = new CollectedFile(partOf(number, 'csv'));
    this.#json.text.add('[');
  }

  get bytes(): number {
    return this.#json.text.length + (this.#csv?.text.length ?? 0);
  }

  /** Gives the bytes that the row adds. Throws a RangeError where it is nested too deeply. */
  add(row: Readonly<Record<string, unknown>>): number {
    const before = this.bytes;
    const line = JSON.stringify(row);
    this.#begin(Object.keys(row));
    this.#shape.add(row);
    this.#json.text.add(`${this.#rows === 0 ? '\n' : ',\n'}${line}`);
    if (this.#csv !== undefined) {
      const written = isAsWritten(row) ? row : JSON.parse(line);
      this.#csv.text.add(csvLine(this.#header.map((column) => written[column])));
    }
    this.#rows += 1;
    return this.bytes - before;
  }

  /** The same for many rows. */
  addTexts(texts: TextRows): number {
    const before = this.bytes;
    this.#begin(texts.columns);
    const nulls = writeTexts(texts, {
      json: this.#json.text,
      csv: this.#csv?.text,
      csvColumns: this.#header,
      goesOn: this.#rows > 0,
    });
    this.#shape.addTexts(texts, nulls);
    this.#rows += texts.count;
    return this.bytes - before;
  }

  /** The pieces that are full. */
  takeFull(): readonly TextPiece[] {
    return this.#files().flatMap((file) => (file.isFull ? file.take() : []));
  }

  /** What was gathered since the last pieces, if anything. */
  take(): readonly TextPiece[] {
    return this.#files().flatMap((file) => file.take());
  }

  /** The last pieces. Nothing may be added afterwards. */
  end(): { readonly pieces: readonly TextPiece[]; readonly collection: CollectedCollection } {
    this.#begin([]);
    this.#json.text.add('\n]\n');
    const json = this.#json.end(this.#rows);
    const csv = this.#csv?.end(this.#rows);
    const { types, required } = this.#shape;
    const collection = {
      name: this.#name,
      columns: [...this.#columns],
      rows: this.#rows,
      bytes: json.summary.size,
      types,
      required,
      files: {
        number: this.#number,
        json: json.summary,
        ...(csv === undefined ? {} : { csv: csv.summary }),
      },
    };
    return { pieces: [...json.pieces, ...(csv?.pieces ?? [])], collection };
  }

  /** Before rows that have these columns. */
  #begin(columns: readonly string[]): void {
    const known = this.#columns.size;
    for (const column of columns) this.#columns.add(column);
    if (this.#rows === 0) {
      this.#header = [...this.#columns];
      this.#csv?.text.add(csvLine(this.#header));
    } else if (this.#columns.size > known) {
      // The lines so far have too few cells.
      this.#csv = undefined;
    }
  }

  #files(): readonly CollectedFile[] {
    return this.#csv === undefined ? [this.#json] : [this.#json, this.#csv];
  }
}

/** Whether the values are what reading the row's JSON would give. */
function isAsWritten(row: Readonly<Record<string, unknown>>): boolean {
  return Object.values(row).every(
    (value) =>
      value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value),
  );
}
