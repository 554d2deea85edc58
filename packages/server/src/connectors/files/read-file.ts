import { isUtf8 } from 'node:buffer';
import { close, fstat, read } from 'node:fs';
import { promisify } from 'node:util';
import { readable } from '../byte-text.ts';
import { Place } from './erase-files.ts';
import type { OpenFolder } from './open-root.ts';

const closeFile = promisify(close);
const readInto = promisify(read);
const statOf = promisify(fstat);

/** A larger file is handed over in parts, so that none is in memory as a whole. */
const PART_BYTES = 1 << 20;

/** The rows that an access gives of one file: what it is called, and what is in it, as text where it is text. */
export async function* rowsOfFile(
  root: OpenFolder,
  path: string,
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  const [name = '', ...folders] = path.split('/').reverse();
  using place = new Place(root, folders.reverse());
  const stat = place.last?.stat(name);
  if (place.last === undefined || stat === undefined) return;
  const about = { path: readable(path), modified: stat.mtime.toISOString(), size: stat.size };
  if (!stat.isFile()) {
    yield { ...about, size: 0, note: 'a link or a device; what it leads to is not handed over' };
    return;
  }
  const descriptor = place.last.file(name);
  if (descriptor === undefined) return;
  try {
    const { size } = await statOf(descriptor);
    const parts = Math.max(1, Math.ceil(size / PART_BYTES));
    for (let part = 0; part < parts; part += 1) {
      const position = part * PART_BYTES;
      const buffer = Buffer.alloc(Math.min(size - position, PART_BYTES));
      const { bytesRead } = await readInto(descriptor, { buffer, position });
      const bytes = buffer.subarray(0, bytesRead);
      const content = isUtf8(bytes) ? { text: bytes.toString('utf8') } : { base64: bytes.toString('base64') };
      yield { ...about, ...(parts === 1 ? {} : { part: part + 1, parts }), ...content };
    }
  } finally {
    await closeFile(descriptor);
  }
}
