import type { ByteSink } from './row-format.ts';

export interface PartBuffer {
  /** Takes bytes; every part that is full is put. */
  readonly write: ByteSink;
  /** Whether anything was given to it, be it nothing. */
  isWritten(): boolean;
  /** What is in no part yet. */
  rest(): Buffer;
}

/** Gathers what is written to parts of one size, of which one is in memory. `put` must be done with a part before it ends. */
export function createPartBuffer(partBytes: number, put: (part: Buffer) => Promise<void>): PartBuffer {
  let buffer = Buffer.allocUnsafe(Math.min(partBytes, 1 << 16));
  let filled = 0;
  let written = false;
  return {
    async write(bytes) {
      written = true;
      for (let at = 0; at < bytes.length; ) {
        const taken = Math.min(partBytes - filled, bytes.length - at);
        if (filled + taken > buffer.length) {
          const larger = Buffer.allocUnsafe(Math.min(partBytes, Math.max(2 * buffer.length, filled + taken)));
          buffer.copy(larger, 0, 0, filled);
          buffer = larger;
        }
        buffer.set(bytes.subarray(at, at + taken), filled);
        filled += taken;
        at += taken;
        if (filled < partBytes) continue;
        await put(buffer.subarray(0, filled));
        filled = 0;
      }
    },
    isWritten: () => written,
    rest: () => buffer.subarray(0, filled),
  };
}
