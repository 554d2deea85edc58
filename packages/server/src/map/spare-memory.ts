/** Memory of answers that were sent, for answers to come. */
export interface SpareMemory {
  /** What was given back, or nothing; it belongs to the caller now. */
  take(): Buffer | undefined;
  /** Gives the memory back that these bytes are in. */
  give(bytes: Buffer): void;
}

/** Larger ones are not kept. */
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * Keeps one piece. New memory of megabytes for each answer makes the engine look for garbage in the whole heap each time,
 * which takes as long as the answer itself.
 */
export function createSpareMemory(): SpareMemory {
  let spare: Buffer | undefined;
  return {
    take() {
      const taken = spare;
      spare = undefined;
      return taken;
    },
    give({ buffer }) {
      if (buffer.byteLength > MOST_BYTES || buffer.byteLength < (spare?.length ?? 0)) return;
      spare = Buffer.from(buffer);
    },
  };
}
