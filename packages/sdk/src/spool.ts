import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Results up to this size stay in memory. */
const MEMORY_BYTES = 256 * 1024;
/** How much text of a page is read at once; a line may be longer. */
const READ_BYTES = 64 * 1024;
/** A page ends at the first line that passes this, so that it fits the 4 MiB that gRPC clients take by default. */
const PAGE_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;
const CHUNK_BYTES = 256 * 1024;
/** What a spool takes besides its lines, about. */
const OVERHEAD_BYTES = 1024;

export interface SpoolPage {
  readonly lines: readonly string[];
  /** Where the next page begins; null at the end. */
  readonly next: number | null;
}

/**
 * Lines of a result while it is read in pages: written once, read many times. What does not fit in memory lies in a temporary file
 * that has no name, so that it ends with the process at the latest and no other process finds it.
 */
export interface Spool {
  readonly id: string;
  /** What it takes at present. */
  readonly size: { readonly memoryBytes: number; readonly files: number };
  append(line: string): Promise<void>;
  /** Nothing more comes; pages can be read now. */
  end(): Promise<void>;
  /** All lines, each with its line feed; known from the end on. */
  readonly whole: { readonly bytes: number; readonly sha256: string };
  /** The bytes from `offset` on, in pieces of 256 KiB at most. Throws a RangeError when the spool is closed. */
  chunks(offset: number): AsyncGenerator<Buffer<ArrayBuffer>, void>;
  /** `offset` is 0 or the `next` of a page. Throws a RangeError for any other. */
  page(offset: number, limit: number): Promise<SpoolPage>;
  close(): Promise<void>;
}

export function createSpool(options: { readonly memoryBytes?: number } = {}): Spool {
  const memoryBytes = options.memoryBytes ?? MEMORY_BYTES;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let written = 0;
  let file: FileHandle | undefined;
  let closed = false;
  const hash = createHash('sha256');
  let whole = { bytes: 0, sha256: '' };

  const flush = async () => {
    file ??= await namelessFile();
    const bytes = Buffer.concat(pending);
    pending = [];
    pendingBytes = 0;
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await file.write(bytes, done, bytes.length - done, written + done);
      done += bytesWritten;
    }
    written += bytes.length;
  };
  const read = async (offset: number, length: number): Promise<Buffer<ArrayBuffer>> => {
    if (file === undefined) return Buffer.concat(pending).subarray(offset, offset + length);
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, written - offset)));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
    return bytes.subarray(0, bytesRead);
  };

  return {
    id: randomUUID().replaceAll('-', ''),
    get size() {
      return { memoryBytes: pendingBytes + OVERHEAD_BYTES, files: file === undefined ? 0 : 1 };
    },
    async append(line) {
      const bytes = Buffer.from(`${line}\n`);
      pending.push(bytes);
      pendingBytes += bytes.length;
      hash.update(bytes);
      if (pendingBytes > memoryBytes) await flush();
    },
    async end() {
      if (file === undefined) pending = [Buffer.concat(pending)];
      else await flush();
      whole = { bytes: file === undefined ? pendingBytes : written, sha256: hash.digest('hex') };
    },
    get whole() {
      return whole;
    },
    async *chunks(offset) {
      for (let position = offset; position < whole.bytes; ) {
        if (closed) throw new RangeError('The result is no longer here.');
        const chunk = await read(position, CHUNK_BYTES);
        if (chunk.length === 0) throw new RangeError('The result is no longer here.');
        position += chunk.length;
        yield chunk;
      }
    },
    async page(offset, limit) {
      const total = file === undefined ? pendingBytes : written;
      if (offset < 0 || offset > total) throw new RangeError('There is no such place in the result.');
      // A place inside a line would read half a record.
      if (offset > 0 && (await read(offset - 1, 1))[0] !== NEWLINE) {
        throw new RangeError('There is no such place in the result.');
      }
      const lines: string[] = [];
      let position = offset;
      let taken = 0;
      let rest: Buffer = Buffer.alloc(0);
      while (lines.length < limit && taken < PAGE_BYTES) {
        const end = rest.indexOf(NEWLINE);
        if (end >= 0) {
          lines.push(rest.toString('utf8', 0, end));
          rest = rest.subarray(end + 1);
          taken += end + 1;
          continue;
        }
        const more = await read(position, READ_BYTES);
        if (more.length === 0) break;
        position += more.length;
        rest = Buffer.concat([rest, more]);
      }
      const next = offset + taken;
      return { lines, next: next < total ? next : null };
    },
    async close() {
      closed = true;
      pending = [];
      pendingBytes = 0;
      await file?.close();
    },
  };
}

async function namelessFile(): Promise<FileHandle> {
  const path = join(tmpdir(), `habeas-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await unlink(path);
  return file;
}
