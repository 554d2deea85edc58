import { isUtf8 } from 'node:buffer';
import { close, fstat, read, type Stats } from 'node:fs';
import { promisify } from 'node:util';
import { HabeasError } from '../../foundation/index.ts';
import { readable } from '../byte-text.ts';
import { Place } from './erase-files.ts';
import type { OpenFolder } from './open-root.ts';

const closeFile = promisify(close);
const readInto = promisify(read);
const statOf = promisify(fstat);

/** A larger file is handed over in parts, so that none is in memory as a whole. */
const PART_BYTES = 1 << 20;

/**
 * The rows that an access gives of one file: what it is called, and what is in it, as text where it is text. One that takes its place
 * meanwhile is not mixed with it. Throws SYSTEM_FAILED (retryable) where the file itself was changed: half of it was given.
 */
export async function* rowsOfFile(
  root: OpenFolder,
  path: string,
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  const [name = '', ...folders] = path.split('/').reverse();
  using place = new Place(root, folders.reverse());
  const found = place.last?.stat(name);
  if (place.last === undefined || found === undefined) return;
  const aboutOf = ({ mtime, size }: Stats) => ({
    path: readable(path),
    modified: mtime.toISOString(),
    size,
  });
  if (!found.isFile()) {
    const note = 'a link or a device; what it leads to is not handed over';
    yield { ...aboutOf(found), size: 0, note };
    return;
  }
  const descriptor = place.last.file(name);
  if (descriptor === undefined) return;
  try {
    const stat = await statOf(descriptor);
    const parts = Math.max(1, Math.ceil(stat.size / PART_BYTES));
    for (let part = 0; part < parts; part += 1) {
      const from = part * PART_BYTES;
      const bytes = await bytesBetween(descriptor, from, Math.min(from + PART_BYTES, stat.size));
      const now = await statOf(descriptor);
      if (now.size !== stat.size || now.mtimeMs !== stat.mtimeMs) throw changedMeanwhile();
      const content = isUtf8(bytes) ? { text: bytes.toString('utf8') } : { base64: bytes.toString('base64') };
      yield { ...aboutOf(stat), ...(parts === 1 ? {} : { part: part + 1, parts }), ...content };
    }
  } finally {
    await closeFile(descriptor);
  }
}

/** Fewer where the file has become shorter. */
async function bytesBetween(descriptor: number, from: number, to: number): Promise<Buffer> {
  const buffer = Buffer.alloc(to - from);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await readInto(descriptor, {
      buffer,
      offset: length,
      length: buffer.length - length,
      position: from + length,
    });
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

function changedMeanwhile(): HabeasError {
  return new HabeasError(
    'SYSTEM_FAILED',
    'A file was changed while it was handed over, so that it would be half old and half new. It is tried again.',
    { retryable: true },
  );
}
