/** Memory that nobody else looks at. Memory of native code is not counted by the collector, which would let it grow by gigabytes. */
const own = new WeakSet<Buffer>();

/** Smaller ones lie side by side in a pool of Node's. */
const LARGE_BYTES = 1 << 17;

/** These bytes were made here, and nobody keeps them. */
export function owned(bytes: Buffer): Buffer {
  if (bytes.buffer.byteLength >= LARGE_BYTES) own.add(bytes);
  return bytes;
}

/** The memory of bytes that are our own, to be given to another thread: nobody here can look at it then. */
export function transferable(bytes: Buffer): ArrayBuffer[] {
  return own.delete(bytes) && bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [];
}

/** Gives memory back at once, if it is known to be our own. Whoever still looks at these bytes finds none. */
export function release(bytes: Buffer): void {
  if (!own.delete(bytes) || !(bytes.buffer instanceof ArrayBuffer)) return;
  bytes.buffer.transfer(0);
}

/** Parts that go to another thread: the large ones with their memory, which is gone here, the others as copies of their own. */
export function movable(parts: readonly Uint8Array[]): {
  readonly parts: readonly Uint8Array[];
  readonly transfer: readonly ArrayBuffer[];
} {
  const transfer = new Set<ArrayBuffer>();
  const moved = parts.map((part) => {
    if (part.buffer.byteLength < LARGE_BYTES || !(part.buffer instanceof ArrayBuffer))
      return Uint8Array.from(part);
    transfer.add(part.buffer);
    return part;
  });
  return { parts: moved, transfer: [...transfer] };
}

/** Parts that came from another thread. Those that have memory alone are our own. */
export function received(parts: readonly Uint8Array[]): readonly Buffer[] {
  const users = Map.groupBy(parts, ({ buffer }) => buffer);
  return parts.map((part) => {
    const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
    return users.get(part.buffer)?.length === 1 ? owned(bytes) : bytes;
  });
}
