import { HabeasError } from '../../foundation/index.ts';
import { type Packing, through, unpacker } from './packed.ts';

export interface UnpackLimits {
  /** A packed file that becomes larger than this may not be larger than `mostRatio` times itself. In bytes. */
  readonly alwaysAllowed: number;
  readonly mostRatio: number;
}

/** Packed text shrinks 5 to 50 times, and what was made to fill a disk a thousand times. */
export const UNPACK_LIMITS: UnpackLimits = { alwaysAllowed: 1 << 30, mostRatio: 500 };

/** What is in a packed file. Throws SYSTEM_FAILED where it is cut off, damaged, or made to fill a disk. */
export async function* unpacked(
  parts: AsyncIterable<Buffer>,
  options: {
    readonly packing: Packing;
    /** Packed, in bytes. */
    readonly size: number;
    /** In words, for errors: `log`. */
    readonly what: string;
    readonly signal: AbortSignal;
    readonly limits?: UnpackLimits | undefined;
  },
): AsyncGenerator<Buffer> {
  const { packing, what, signal, limits = UNPACK_LIMITS } = options;
  const unpack = unpacker(packing);
  if (unpack === undefined) {
    yield* parts;
    return;
  }
  let failed: unknown;
  const given = async function* () {
    try {
      yield* parts;
    } catch (error) {
      failed = error;
      throw error;
    }
  };
  let size = 0;
  try {
    for await (const part of through(unpack, given())) {
      signal.throwIfAborted();
      size += part.length;
      if (size > limits.alwaysAllowed && size > options.size * limits.mostRatio)
        throw new HabeasError(
          'SYSTEM_FAILED',
          `A packed ${what} grows to more than ${limits.mostRatio} times its size, as none does; it was left as it is. Look at it, or take it out of what the dataset names.`,
        );
      yield part;
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (failed !== undefined) throw failed;
    if (cause instanceof HabeasError) throw cause;
    throw new HabeasError(
      'SYSTEM_FAILED',
      `A packed ${what} is cut off or damaged, or is being packed now; it was left as it is.`,
      { cause, retryable: true },
    );
  }
}
