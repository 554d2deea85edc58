import { PIECE_BYTES } from '../blob-store.ts';

/** Room for a piece and what its last rows add. */
export const PIECE_BUFFER_BYTES = 2 * PIECE_BYTES;
const MOST_KEPT = 8;

const free: Buffer[] = [];

/**
 * A buffer for a piece, with whatever was in it before. Garbage of this size would have the whole heap looked through again and again, which
 * took longer than all the rest of collecting.
 */
export function takePieceBuffer(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(PIECE_BUFFER_BYTES);
}

/** Gives back the buffer of which these bytes are the beginning, if it is one. Nobody may use it any more. */
export function givePieceBuffer({ buffer, byteOffset }: Uint8Array): void {
  if (byteOffset !== 0 || buffer.byteLength !== PIECE_BUFFER_BYTES || free.length >= MOST_KEPT) return;
  free.push(Buffer.from(buffer));
}
