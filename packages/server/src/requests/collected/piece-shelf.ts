import type { BlobRef, BlobStore, Piece } from '../blob-store.ts';
import { PiecePacker, type TextPiece } from './pack-piece.ts';

/** Pieces that are compressed at the same time, by threads. */
const PACKED_AT_ONCE = 3;
/** Packed bytes, and pieces, that one statement stores. */
const STORED_BYTES = 256 * 1024;
const STORED_PIECES = 1_000;

/** Packs and stores pieces while the next ones are collected. Few are held: who adds one waits while there are too many. */
export class PieceShelf implements AsyncDisposable {
  readonly #blobs: BlobStore;
  readonly #ref: BlobRef;
  readonly #packer = new PiecePacker();
  readonly #packing: Promise<Piece>[] = [];
  #packed: Piece[] = [];
  #bytes = 0;
  #storing = Promise.resolve();

  constructor(blobs: BlobStore, ref: BlobRef) {
    this.#blobs = blobs;
    this.#ref = ref;
  }

  /** Throws what storing an earlier one failed with. */
  async add(pieces: readonly TextPiece[]): Promise<void> {
    for (const piece of pieces) {
      const packing = this.#packer.pack(piece);
      // Its failure is thrown when it is waited for; until then it must not count as unhandled.
      packing.catch(() => undefined);
      this.#packing.push(packing);
      if (this.#packing.length >= PACKED_AT_ONCE) await this.#takeOldest();
    }
  }

  /** Resolves when everything is stored. */
  async end(): Promise<void> {
    while (this.#packing.length > 0) await this.#takeOldest();
    await this.#store();
    await this.#storing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What failed was thrown, or something else is; nothing may still be stored when the task is over.
    await Promise.allSettled([...this.#packing, this.#storing]);
    this.#packer.close();
  }

  async #takeOldest(): Promise<void> {
    const piece = await this.#packing.shift();
    if (piece === undefined) return;
    this.#packed.push(piece);
    this.#bytes += piece.bytes.length;
    if (this.#bytes >= STORED_BYTES || this.#packed.length >= STORED_PIECES) await this.#store();
  }

  async #store(): Promise<void> {
    if (this.#packed.length === 0) return;
    const pieces = this.#packed;
    this.#packed = [];
    this.#bytes = 0;
    await this.#storing;
    this.#storing = this.#blobs.put(this.#ref, pieces, 'packed');
    this.#storing.catch(() => undefined);
  }
}
