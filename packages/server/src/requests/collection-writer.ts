import { PIECE_BYTES, type Piece } from './blob-store.ts';
import { type ColumnTypes, RowShape } from './package/row-schema.ts';

export interface CollectedCollection {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: number;
  /** Of all rows as JSON, one a line. Those that were collected by an older Habeas do not say. */
  readonly bytes?: number;
  /** Absent in what was collected before there were schemas. */
  readonly types?: ColumnTypes;
  readonly required?: readonly string[];
}

/** Gathers the rows of one collection into pieces. */
export class CollectionWriter {
  readonly #name: string;
  readonly #columns = new Set<string>();
  readonly #shape = new RowShape();
  #lines: string[] = [];
  #bytes = 0;
  #position = 0;
  #rows = 0;
  #allBytes = 0;

  constructor(name: string) {
    this.#name = name;
  }

  get isFull(): boolean {
    return this.#bytes >= PIECE_BYTES;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Gives the bytes that the row adds. */
  add(row: Readonly<Record<string, unknown>>): number {
    for (const column of Object.keys(row)) this.#columns.add(column);
    this.#shape.add(row);
    const line = JSON.stringify(row);
    this.#lines.push(line);
    this.#bytes += line.length;
    this.#rows += 1;
    return line.length;
  }

  /** What was gathered since the last piece, if anything. */
  takePiece(): readonly Piece[] {
    if (this.#lines.length === 0) return [];
    const bytes = Buffer.from(`${this.#lines.join('\n')}\n`);
    const piece = { part: this.#name, position: this.#position, bytes };
    this.#allBytes += bytes.length;
    this.#position += 1;
    this.#lines = [];
    this.#bytes = 0;
    return [piece];
  }

  /** After the last piece was taken. */
  summary(): CollectedCollection {
    const { types, required } = this.#shape;
    return {
      name: this.#name,
      columns: [...this.#columns],
      rows: this.#rows,
      bytes: this.#allBytes,
      types,
      required,
    };
  }
}
