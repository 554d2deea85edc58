import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';
import { HabeasError } from '../../foundation/index.ts';
import type { ArchiveFile, PackagedFile, TextFile } from './archive-file.ts';
import { resumableHash } from './resumable-hash.ts';
import { dataDescriptor, directoryHeader, endOfZip, localHeader, type ZipEntry } from './zip-format.ts';

const deflate = promisify(deflateRaw);

/** Text that is compressed at once, and the distance between places from which work can go on. */
const STRETCH_BYTES = 256 * 1024;
const DIRECTORY_BYTES = 64 * 1024;
/** A deflate block without content that says "the end" (RFC 1951 §3.2.3). */
const END_OF_DEFLATE = Buffer.of(0x03, 0x00);
const MOST_32 = 0xffffffff;

/** A file that is written, as the directory and the manifest need it. */
export type WrittenFile = ZipEntry & { readonly sha256: string };

/** From where a zip that was written in part can be gone on with; JSON. */
export interface ZipCursor {
  /** Bytes of the zip so far, and the state of their hash. */
  readonly bytes: number;
  readonly hash: string;
  /** Files that were written, or are being written as `open`. */
  readonly written: number;
  readonly open: OpenFile | null;
  /** Where the directory at the end begins, once it is begun, and how many files it names already. */
  readonly directory: { readonly offset: number; readonly named: number } | null;
}

interface OpenFile {
  readonly offset: number;
  readonly block: number;
  readonly ended: boolean;
  readonly crc: number;
  readonly size: number;
  readonly packedSize: number;
  readonly hash: string;
}

export interface WriteZipOptions {
  readonly files: readonly ArchiveFile[];
  /** Stands at every file. */
  readonly time: Date;
  readonly signal: AbortSignal;
  /** Goes on behind what was written; the files written by then with it. (Default: from the beginning) */
  readonly from?: { readonly cursor: ZipCursor; readonly written: readonly WrittenFile[] } | undefined;
}

/** Some bytes of the zip, and what is known after them. */
export interface ZipStep {
  readonly bytes: Buffer;
  /** Only before the next step is asked for. */
  cursor(): ZipCursor;
  /** Every file that was written so far. */
  readonly written: readonly WrittenFile[];
  /** SHA-256 of the whole, in hexadecimal, with the last step. */
  readonly sha256?: string;
}

/**
 * Writes a zip, of any size and any number of files, without holding it. The same files give the same bytes, wherever the work
 * was interrupted: text is compressed in stretches that know nothing of each other.
 */
export async function* writeZip(options: WriteZipOptions): AsyncGenerator<ZipStep, void> {
  const { files, time, signal, from } = options;
  const written = [...(from?.written ?? [])];
  const before: PackagedFile[] = written.map(packagedFile);
  const zipHash = await resumableHash();
  const fileHash = await resumableHash();
  zipHash.begin(from?.cursor.hash);
  let bytes = from?.cursor.bytes ?? 0;
  let directory = from?.cursor.directory ?? null;
  let open: Omit<OpenFile, 'hash'> | null = from?.cursor.open ?? null;
  if (open !== null) fileHash.begin(from?.cursor.open?.hash);

  const cursor = (): ZipCursor => ({
    bytes,
    hash: zipHash.state(),
    written: written.length,
    open: open === null ? null : { ...open, hash: fileHash.state() },
    directory,
  });
  const step = (...parts: readonly Uint8Array[]): ZipStep => {
    const joined = Buffer.concat(parts);
    zipHash.update(joined);
    bytes += joined.length;
    return { bytes: joined, cursor, written };
  };

  while (written.length < files.length) {
    signal.throwIfAborted();
    const file = files[written.length] as ArchiveFile;
    const { isDeflated, isWide: wide } = shapeOf(file);
    const form = { path: file.path, method: isDeflated ? ('deflated' as const) : ('stored' as const), wide };
    if (open === null) {
      fileHash.begin();
      open = { offset: bytes, block: 0, ended: false, crc: 0, size: 0, packedSize: 0 };
      yield step(localHeader(form, time));
    }
    if (!open.ended && 'content' in file) {
      for await (const piece of file.content.read(open.block)) {
        signal.throwIfAborted();
        open = { ...open, block: open.block + 1, packedSize: open.packedSize + piece.length };
        yield step(piece);
      }
      const { pieces, crc, size } = file.content;
      if (open.block !== pieces) throw endedEarly();
      open = { ...open, ended: true, crc, size };
    } else if (!open.ended && 'blocks' in file) {
      for await (const stretch of packedStretches(file, open.block, before)) {
        signal.throwIfAborted();
        const { content, packed } = stretch;
        fileHash.update(content);
        open = {
          ...open,
          block: open.block + stretch.blocks,
          ended: stretch.last,
          crc: crc32(content, open.crc),
          size: open.size + content.length,
          packedSize: open.packedSize + packed.length,
        };
        yield step(packed);
        if (stretch.last) break;
      }
      if (!open.ended) throw endedEarly();
    }
    const end = isDeflated ? END_OF_DEFLATE : Buffer.alloc(0);
    const { offset, crc, size } = open;
    const entry = { ...form, offset, crc, size, packedSize: open.packedSize + end.length };
    if (!wide && Math.max(entry.size, entry.packedSize) >= MOST_32)
      throw new HabeasError('INTERNAL', 'A file of a package is larger than was foreseen.');
    const ended = { ...entry, sha256: 'content' in file ? file.content.sha256 : fileHash.digest() };
    written.push(ended);
    before.push(packagedFile(ended));
    open = null;
    yield step(end, dataDescriptor(entry));
  }

  directory ??= { offset: bytes, named: 0 };
  while (directory.named < written.length) {
    const some: Buffer[] = [];
    let length = 0;
    let named: number = directory.named;
    for (; named < written.length && length < DIRECTORY_BYTES; named += 1) {
      const header = directoryHeader(written[named] as WrittenFile, time);
      some.push(header);
      length += header.length;
    }
    directory = { ...directory, named };
    yield step(...some);
  }
  const last = step(
    endOfZip({ entries: written.length, offset: directory.offset, size: bytes - directory.offset }),
  );
  yield { ...last, sha256: zipHash.digest() };
}

function endedEarly(): HabeasError {
  return new HabeasError('INTERNAL', 'A file of a package ended without its last block.');
}

/** How a file stands in the zip; said before it is read. */
function shapeOf(file: ArchiveFile): { readonly isDeflated: boolean; readonly isWide: boolean } {
  if ('content' in file) {
    // Incompressible text grows by a few bytes a block.
    return { isDeflated: file.content.deflated, isWide: 1.01 * file.content.size + 1_024 >= MOST_32 };
  }
  return {
    isDeflated: file.compress,
    isWide: file.atMostBytes === undefined || file.atMostBytes >= MOST_32,
  };
}

interface Stretch {
  readonly text: string;
  readonly blocks: number;
  readonly last: boolean;
}

interface PackedStretch extends Omit<Stretch, 'text'> {
  readonly content: Buffer;
  readonly packed: Buffer;
}

/** While a thread compresses one stretch, the next one is put together here. */
async function* packedStretches(
  file: TextFile,
  from: number,
  before: readonly PackagedFile[],
): AsyncGenerator<PackedStretch, void> {
  let packing: Promise<PackedStretch> | undefined;
  for await (const { text, blocks, last } of stretches(file, from, before)) {
    const content = Buffer.from(text);
    const next = (file.compress ? compress(content) : Promise.resolve(content)).then((packed) => ({
      content,
      packed,
      blocks,
      last,
    }));
    // Its failure is thrown when it is waited for; until then it must not count as unhandled.
    next.catch(() => undefined);
    if (packing !== undefined) yield await packing;
    packing = next;
    if (last) break;
  }
  if (packing !== undefined) yield await packing;
}

/** Blocks joined until they are worth being compressed at once. */
async function* stretches(
  file: TextFile,
  from: number,
  before: readonly PackagedFile[],
): AsyncGenerator<Stretch, void> {
  let text = '';
  let blocks = 0;
  for await (const block of file.blocks(from, before)) {
    text += block.text;
    blocks += 1;
    if (text.length < STRETCH_BYTES && !block.last) continue;
    yield { text, blocks, last: block.last };
    text = '';
    blocks = 0;
  }
}

function packagedFile({ path, size, sha256 }: WrittenFile): PackagedFile {
  return { path, bytes: size, sha256 };
}

/** Ends at a whole byte and forgets what came before, so that stretches can be put behind each other. */
async function compress(content: Buffer): Promise<Buffer> {
  return content.length === 0 ? content : deflate(content, { finishFlush: constants.Z_FULL_FLUSH });
}
