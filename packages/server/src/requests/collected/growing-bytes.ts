import { PIECE_BUFFER_BYTES, takePieceBuffer } from './piece-buffers.ts';

const EMPTY = Buffer.alloc(0);
const FIRST_BYTES = 256;
/** What is larger is about to become a piece. */
const MUCH_BYTES = 64 * 1024;

/** UTF-8 that is put together piece by piece. Who writes many short values writes into `bytes` from `length` on. */
export class GrowingBytes {
  bytes: Buffer = EMPTY;
  length = 0;
  /** Room for a piece is needed again at once. */
  #isLarge = false;

  /** Makes room for so many more bytes. */
  reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const larger = roomFor(
      Math.max(this.#isLarge ? PIECE_BUFFER_BYTES : FIRST_BYTES, 2 * this.bytes.length, needed),
    );
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  add(text: string): void {
    // A UTF-16 unit is at most three bytes of UTF-8; where that is much, it is counted.
    this.reserve(text.length < MUCH_BYTES ? 3 * text.length : Buffer.byteLength(text));
    this.length += this.bytes.write(text, this.length);
  }

  /** What is there; afterwards there is nothing. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length);
    this.#isLarge = taken.length > MUCH_BYTES;
    this.bytes = EMPTY;
    this.length = 0;
    return taken;
  }
}

function roomFor(bytes: number): Buffer {
  return bytes > MUCH_BYTES && bytes <= PIECE_BUFFER_BYTES ? takePieceBuffer() : Buffer.allocUnsafe(bytes);
}
