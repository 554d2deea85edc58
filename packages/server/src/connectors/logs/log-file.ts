import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { HabeasError } from '../../foundation/index.ts';
import { bytesOf } from '../byte-text.ts';
import type { Needle } from './needles.ts';
import { HEADER_BYTES, type Packing, packingOf, through, unpacker } from './packed.ts';
import { type FoundLine, LineScanner } from './scan-lines.ts';

const PART_BYTES = 4 << 20;
/** Packed text shrinks 5 to 50 times, and what was made to fill a disk a thousand times. */
const MOST_RATIO = 500;
const ALWAYS_ALLOWED_BYTES = 1 << 30;

export interface LogLimits {
  /** A packed file that becomes larger than this may not be larger than `mostRatio` times itself. In bytes. */
  readonly alwaysAllowed: number;
  readonly mostRatio: number;
}

export const LOG_LIMITS: LogLimits = { alwaysAllowed: ALWAYS_ALLOWED_BYTES, mostRatio: MOST_RATIO };

/** One log file that is held open: it stays the same file while it is renamed or replaced. */
export interface LogFile extends AsyncDisposable {
  readonly handle: FileHandle;
  readonly stat: Stats;
  readonly packing: Packing;
}

/** Opens a log file. A link is not followed. Undefined: it is gone, or no file. */
export async function openLog(path: string, mode: 'read' | 'overwrite'): Promise<LogFile | undefined> {
  const flags =
    (mode === 'read' ? constants.O_RDONLY : constants.O_RDWR) | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  let handle: FileHandle;
  try {
    handle = await open(bytesOf(path), flags);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ELOOP'))
      return undefined;
    throw error;
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) {
      await handle.close();
      return undefined;
    }
    const head = Buffer.alloc(HEADER_BYTES);
    const { bytesRead } = await handle.read(head, 0, HEADER_BYTES, 0);
    return {
      handle,
      stat,
      packing: packingOf(head.subarray(0, bytesRead)),
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The bytes of the file as they lie there, in parts that are used again: copy what is kept. */
export async function* bytesFrom(
  file: Pick<LogFile, 'handle'>,
  signal: AbortSignal,
  until = Infinity,
): AsyncGenerator<Buffer> {
  const parts = [Buffer.allocUnsafe(PART_BYTES), Buffer.allocUnsafe(PART_BYTES)];
  let at = 0;
  const read = (part: Buffer, position: number) =>
    file.handle.read(part, 0, Math.min(PART_BYTES, until - position), position);
  // The next part is read while one is looked through.
  let reading = until > 0 ? read(parts[0] ?? Buffer.alloc(0), 0) : undefined;
  reading?.catch(() => undefined);
  for (let turn = 0; reading !== undefined; turn += 1) {
    signal.throwIfAborted();
    const { buffer, bytesRead } = await reading;
    if (bytesRead === 0) return;
    at += bytesRead;
    reading = at < until ? read(parts[(turn + 1) % 2] ?? Buffer.alloc(0), at) : undefined;
    reading?.catch(() => undefined);
    yield buffer.subarray(0, bytesRead);
  }
}

/** The text of the file. Throws SYSTEM_FAILED for a packed file that is cut off, damaged, or made to fill a disk. */
export async function* textFrom(
  file: LogFile,
  signal: AbortSignal,
  limits: LogLimits = LOG_LIMITS,
): AsyncGenerator<Buffer> {
  const unpack = unpacker(file.packing);
  if (unpack === undefined) {
    yield* bytesFrom(file, signal);
    return;
  }
  const copied = async function* () {
    for await (const part of bytesFrom(file, signal)) yield Buffer.from(part);
  };
  let size = 0;
  try {
    for await (const part of through(unpack, copied())) {
      signal.throwIfAborted();
      size += part.length;
      if (size > limits.alwaysAllowed && size > file.stat.size * limits.mostRatio)
        throw new HabeasError(
          'SYSTEM_FAILED',
          `A packed log grows to more than ${limits.mostRatio} times its size, as no log does; it was left as it is. Look at it, or take it out of \`path\`.`,
        );
      yield part;
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof HabeasError) throw cause;
    throw new HabeasError(
      'SYSTEM_FAILED',
      'A packed log is cut off or damaged, or is being packed now; it was left as it is.',
      {
        cause,
        retryable: true,
      },
    );
  }
}

/** The lines of a file that name one of the people. */
export async function* linesIn(
  file: LogFile,
  search: {
    readonly needles: readonly Needle[];
    readonly signal: AbortSignal;
    readonly limits?: LogLimits;
    readonly longLine?: number;
  },
): AsyncGenerator<FoundLine> {
  const scanner = new LineScanner(search.needles, search.longLine);
  for await (const part of textFrom(file, search.signal, search.limits)) yield* scanner.next(part);
  yield* scanner.end();
}
