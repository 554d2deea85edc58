import type { RandomAccess } from './row-format.ts';

const PART_BYTES = 8 << 20;

/** A file from its beginning to its end, in parts. The next part is asked for while one is looked through. */
export async function* partsOf(
  source: RandomAccess,
  signal: AbortSignal,
  partBytes: number = PART_BYTES,
): AsyncGenerator<Buffer> {
  const ask = (at: number): Promise<Uint8Array> | undefined => {
    if (at >= source.size) return undefined;
    const reading = source.read(at, Math.min(partBytes, source.size - at));
    // Where nobody waits for it any more.
    reading.catch(() => undefined);
    return reading;
  };
  let at = 0;
  for (let reading = ask(0); reading !== undefined; ) {
    signal.throwIfAborted();
    const part = await reading;
    at += part.length;
    reading = ask(at);
    yield Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  }
}
