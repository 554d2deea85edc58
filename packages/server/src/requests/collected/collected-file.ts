import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { PIECE_BYTES } from '../blob-store.ts';
import { GrowingBytes } from './growing-bytes.ts';
import type { TextPiece } from './pack-piece.ts';

/** What is known of a file of a package whose pieces lie ready to be put into it. */
export interface FileSummary {
  /** Of its text, in bytes. */
  readonly size: number;
  readonly pieces: number;
  readonly crc: number;
  /** In hexadecimal. */
  readonly sha256: string;
  /** Whether its pieces are deflated. */
  readonly deflated: boolean;
}

/** Not worth the work of a compressor of their own, of which most packages would have a dozen. */
const FEW_ROWS = 20;

/** One file of a collection, from its first row to its end, in pieces. Its hashes are made on the way. */
export class CollectedFile {
  readonly text = new GrowingBytes();
  readonly #part: string;
  readonly #hash = createHash('sha256');
  #crc = 0;
  #size = 0;
  #position = 0;
  /** Said with the first piece. */
  #isDeflated: boolean | undefined;

  constructor(part: string) {
    this.#part = part;
  }

  get isFull(): boolean {
    return this.text.length >= PIECE_BYTES;
  }

  /** What was written since the last piece, if anything. */
  take(): readonly TextPiece[] {
    this.#isDeflated ??= true;
    return this.#take();
  }

  /** The last piece, after the last row of so many. */
  end(rows: number): { readonly pieces: readonly TextPiece[]; readonly summary: FileSummary } {
    this.#isDeflated ??= rows > FEW_ROWS;
    const pieces = this.#take();
    const summary = {
      size: this.#size,
      pieces: this.#position,
      crc: this.#crc,
      sha256: this.#hash.digest('hex'),
      deflated: this.#isDeflated,
    };
    return { pieces, summary };
  }

  #take(): readonly TextPiece[] {
    if (this.text.length === 0) return [];
    const taken = this.text.take();
    // A store without an encoding of its own gives whatever bytes were put into it.
    const bytes = isUtf8(taken) ? taken : Buffer.from(taken.toString());
    this.#hash.update(bytes);
    this.#crc = crc32(bytes, this.#crc);
    this.#size += bytes.length;
    this.#position += 1;
    return [{ part: this.#part, position: this.#position - 1, bytes, isDeflated: this.#isDeflated === true }];
  }
}
