import { constants, inflateRawSync } from 'node:zlib';
import type { Piece } from '../blob-store.ts';
import { Deflater } from './deflater.ts';
import { givePieceBuffer } from './piece-buffers.ts';

/** A stretch of a file's text. */
export interface TextPiece extends Piece {
  readonly bytes: Buffer;
  /** Whether it is to be deflated. */
  readonly isDeflated: boolean;
}

/** Packs pieces as they stand in a zip, some at the same time. The text of a piece is given back when it is packed. */
export class PiecePacker {
  readonly #deflaters: Deflater[] = [];
  readonly #free: Deflater[] = [];

  async pack({ part, position, bytes, isDeflated }: TextPiece): Promise<Piece> {
    if (!isDeflated) return { part, position, bytes };
    const deflater = this.#free.pop() ?? this.#make();
    const packed = await deflater.deflate(bytes);
    this.#free.push(deflater);
    givePieceBuffer(bytes);
    return { part, position, bytes: packed };
  }

  close(): void {
    for (const deflater of this.#deflaters) deflater.close();
  }

  #make(): Deflater {
    const deflater = new Deflater();
    this.#deflaters.push(deflater);
    return deflater;
  }
}

export function unpackPiece(packed: Buffer, isDeflated: boolean): string {
  if (!isDeflated) return packed.toString();
  return inflateRawSync(packed, { finishFlush: constants.Z_SYNC_FLUSH }).toString();
}
