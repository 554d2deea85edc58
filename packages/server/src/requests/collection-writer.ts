import { PIECE_BYTES, type Piece } from './blob-store.ts';

export interface CollectedCollection {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: number;
}

/** Gathers the rows of one collection into pieces. */
export class CollectionWriter {
  readonly #name: string;
  readonly #columns = new Set<string>();
  #lines: string[] = [];
  #bytes = 0;
  #position = 0;
  #rows = 0;

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
    const line = JSON.stringify(row);
    this.#lines.push(line);
    this.#bytes += line.length;
    this.#rows += 1;
    return line.length;
  }

  /** What was gathered since the last piece, if anything. */
  takePiece(): readonly Piece[] {
    if (this.#lines.length === 0) return [];
    const piece = {
      part: this.#name,
      position: this.#position,
      bytes: Buffer.from(`${this.#lines.join('\n')}\n`),
    };
    this.#position += 1;
    this.#lines = [];
    this.#bytes = 0;
    return [piece];
  }

  summary(): CollectedCollection {
    return { name: this.#name, columns: [...this.#columns], rows: this.#rows };
  }
}
