import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { bytesOf } from '../byte-text.ts';
import type { Needle } from './needles.ts';
import { HEADER_BYTES, type Packing, packingOf } from './packed.ts';
import { type FoundLine, LineScanner } from './scan-lines.ts';
import { UNPACK_LIMITS, type UnpackLimits, unpacked } from './unpacked.ts';

const PART_BYTES = 4 << 20;
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
  limits: UnpackLimits = UNPACK_LIMITS,
): AsyncGenerator<Buffer> {
  if (file.packing.kind === 'plain') {
    yield* bytesFrom(file, signal);
    return;
  }
  const copied = async function* () {
    for await (const part of bytesFrom(file, signal)) yield Buffer.from(part);
  };
  const { packing, stat } = file;
  yield* unpacked(copied(), { packing, size: stat.size, what: 'log', signal, limits });
}

/** The lines of a file that name one of the people. */
export async function* linesIn(
  file: LogFile,
  search: {
    readonly needles: readonly Needle[];
    readonly signal: AbortSignal;
    readonly limits?: UnpackLimits;
    readonly longLine?: number;
  },
): AsyncGenerator<FoundLine> {
  const scanner = new LineScanner(search.needles, search.longLine);
  for await (const part of textFrom(file, search.signal, search.limits)) yield* scanner.next(part);
  yield* scanner.end();
}
