import { HEADER_BYTES, type Packing, packed, packingOf } from '../logs/packed.ts';
import { unpacked } from '../logs/unpacked.ts';
import { partsOf } from './parts-of.ts';
import type {
  ByteSink,
  FoundRow,
  OpenRows,
  RandomAccess,
  Rewritten,
  RowChange,
  RowFile,
  RowFormat,
} from './row-format.ts';
import { type Splice, spliced } from './splice.ts';

/** A row that is somebody's, where it lies in the text. */
export interface TextRow {
  readonly from: number;
  /** Behind its line ending. */
  readonly to: number;
  readonly whose: ReadonlySet<number>;
  /** What is in it. */
  content(): Readonly<Record<string, unknown>> | undefined;
  /** The values of these columns, with what takes their place. */
  masked(columns: Extract<RowChange, { kind: 'mask' }>['columns']): readonly Splice[];
}

/** How rows lie in text. `parts` may be kept. */
export type TextScan = (parts: AsyncIterable<Buffer>, options: OpenRows) => AsyncIterable<TextRow>;

/**
 * A format of rows in text, plain or packed with gzip or zstd, as the first bytes say. Rows that stay keep every byte: what changes is cut
 * out of the text, and the text is packed again in the same format.
 */
export function textFormat(name: string, scan: TextScan): RowFormat {
  return {
    name,
    async open(source, options) {
      const head = await source.read(0, Math.min(HEADER_BYTES, source.size));
      const packing = packingOf(Buffer.from(head.buffer, head.byteOffset, head.byteLength));
      return new TextFile({ source, packing, scan, options });
    },
  };
}

class TextFile implements RowFile {
  readonly #of: {
    readonly source: RandomAccess;
    readonly packing: Packing;
    readonly scan: TextScan;
    readonly options: OpenRows;
  };

  constructor(of: {
    readonly source: RandomAccess;
    readonly packing: Packing;
    readonly scan: TextScan;
    readonly options: OpenRows;
  }) {
    this.#of = of;
  }

  async *find({ content }: { readonly content: boolean }): AsyncGenerator<FoundRow> {
    for await (const row of this.#rows())
      yield { whose: row.whose, content: content ? row.content() : undefined };
  }

  async rewrite(change: RowChange, sink: ByteSink): Promise<Rewritten> {
    const splices: Splice[] = [];
    const of = new Map<number, number>();
    let rows = 0;
    for await (const row of this.#rows()) {
      if (change.kind === 'drop') splices.push({ from: row.from, to: row.to, by: Buffer.alloc(0) });
      else splices.push(...row.masked(change.columns));
      rows += 1;
      for (const who of row.whose) of.set(who, (of.get(who) ?? 0) + 1);
    }
    if (rows === 0) return { rows, of };
    const { packing } = this.#of;
    let isWritten = false;
    for await (const part of packed(packing, spliced(this.#text(), splices))) {
      isWritten = true;
      await sink(part);
    }
    // A file of which nothing stays is empty.
    if (!isWritten) await sink(Buffer.alloc(0));
    return { rows, of };
  }

  #rows(): AsyncIterable<TextRow> {
    return this.#of.scan(this.#text(), this.#of.options);
  }

  #text(): AsyncIterable<Buffer> {
    const { source, packing, options } = this.#of;
    const { signal, limits } = options;
    return unpacked(partsOf(source, signal), { packing, size: source.size, what: 'object', signal, limits });
  }
}
