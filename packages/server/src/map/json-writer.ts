import { ISO_TIME_BYTES, writeIsoTime } from './iso-time.ts';

/** Puts JSON together from pieces, as bytes: no text of megabytes is made, nor any object for a piece. */
export interface JsonWriter {
  text(text: string): void;
  /** A piece of bytes; from and to: a part of it. */
  copy(bytes: Uint8Array, from?: number, to?: number): void;
  /** Overwrites what was written so many bytes before the end by a time in milliseconds. */
  patchTime(beforeEnd: number, milliseconds: number): void;
  /** All that was written. Nothing may be written afterwards. */
  end(): Buffer;
}

/** Writes into this memory, and goes on in memory of its own when that is full. */
export function createJsonWriter(memory: Buffer): JsonWriter {
  let bytes = memory;
  let length = 0;
  const reserve = (more: number) => {
    if (length + more <= bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(length + more, 2 * bytes.length));
    larger.set(bytes.subarray(0, length));
    bytes = larger;
  };
  return {
    text(text) {
      // No character takes more than three bytes for each of its UTF-16 units.
      reserve(3 * text.length);
      length += bytes.write(text, length);
    },
    copy(piece, from = 0, to = piece.length) {
      reserve(to - from);
      bytes.set(from === 0 && to === piece.length ? piece : piece.subarray(from, to), length);
      length += to - from;
    },
    patchTime(beforeEnd, milliseconds) {
      const at = length - beforeEnd;
      if (at < 0 || beforeEnd < ISO_TIME_BYTES) throw new RangeError('There is no room for a time there.');
      writeIsoTime(bytes, at, milliseconds);
    },
    end: () => bytes.subarray(0, length),
  };
}
