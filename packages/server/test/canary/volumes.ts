import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { everythingIn } from '../parquet-files.ts';
import type { FoundMark } from './find-marks.ts';

export interface MarkInFile extends FoundMark {
  /** Relative to the volume, with a slash at its beginning. */
  readonly path: string;
}

/** What of a file can be packed is looked at as it lies and unpacked; names of files are looked at too. */
export async function marksIn(
  volume: string,
  find: (bytes: Uint8Array) => readonly FoundMark[],
): Promise<readonly MarkInFile[]> {
  const found: MarkInFile[] = [];
  for (const entry of readdirSync(volume, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    const path = `/${relative(volume, file)}`;
    const add = (marks: readonly FoundMark[]) => {
      for (const mark of marks) found.push({ ...mark, path });
    };
    add(find(Buffer.from(entry.name)));
    if (!entry.isFile()) continue;
    const bytes = readFileSync(file);
    add(find(bytes));
    const inside = await insideOf(file, bytes);
    if (inside !== undefined) add(find(inside));
  }
  return found;
}

async function insideOf(file: string, bytes: Buffer): Promise<Buffer | undefined> {
  if (bytes.subarray(0, 4).toString('latin1') === 'PAR1') return everythingIn(file);
  const inside = unpacked(bytes);
  return inside === bytes ? undefined : inside;
}

const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** The same bytes where they are not packed. */
export function unpacked(bytes: Buffer): Buffer {
  if (bytes.subarray(0, 2).equals(GZIP)) return gunzipSync(bytes);
  if (bytes.subarray(0, 4).equals(ZSTD)) return zstdDecompressSync(bytes);
  return bytes;
}
