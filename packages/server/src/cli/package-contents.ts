import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';
import * as z from 'zod';
import { HabeasError } from '../foundation/errors.ts';

const manifestSchema = z.object({
  collections: z.array(z.object({ system: z.string(), collection: z.string(), rows: z.int() })),
  files: z.array(z.object({ path: z.string(), bytes: z.int(), sha256: z.string() })),
  not_included: z.array(z.object({ system: z.string(), reason: z.string() })),
});

export type PackageContents = z.output<typeof manifestSchema>;

/**
 * What a package says is in it, after every file was compared with the SHA-256 that the manifest names. Reads the whole
 * file: for packages that fit in memory. Throws SYSTEM_GARBAGE if anything differs.
 */
export async function readPackage(file: string): Promise<PackageContents> {
  const entries = zipEntries(await readFile(file));
  const manifest = manifestSchema.parse(JSON.parse(String(entries.get('manifest.json') ?? 'null')));
  for (const { path, bytes, sha256 } of manifest.files) {
    const content = entries.get(path);
    if (content?.length !== bytes || createHash('sha256').update(content).digest('hex') !== sha256) {
      throw garbage(`${path} is not what the manifest of the package names.`);
    }
  }
  const named = new Set([...manifest.files.map(({ path }) => path), 'manifest.json']);
  const extra = [...entries.keys()].find((path) => !named.has(path));
  if (extra !== undefined) throw garbage(`The package has a file that its manifest does not name: ${extra}.`);
  return manifest;
}

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER_BYTES = 30;
const STORED = 0;

/** Files of a zip by the directory at its end (APPNOTE 4.3); no zip64, no encryption. */
function zipEntries(zip: Buffer): ReadonlyMap<string, Buffer> {
  const entries = new Map<string, Buffer>();
  let end = zip.length - 22;
  while (end >= 0 && zip.readUInt32LE(end) !== END_OF_DIRECTORY) end -= 1;
  if (end < 0) throw garbage('The package is not a zip.');
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    if (zip.readUInt32LE(at) !== DIRECTORY_ENTRY) throw garbage('The directory of the package is damaged.');
    const method = zip.readUInt16LE(at + 10);
    const packed = zip.readUInt32LE(at + 20);
    const [name, extra, comment] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    const local = zip.readUInt32LE(at + 42);
    const path = zip.toString('utf8', at + 46, at + 46 + name);
    const start = local + LOCAL_HEADER_BYTES + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const content = zip.subarray(start, start + packed);
    entries.set(path, method === STORED ? content : inflateRawSync(content));
    at += 46 + name + extra + comment;
  }
  return entries;
}

function garbage(text: string): HabeasError {
  return new HabeasError('SYSTEM_GARBAGE', text);
}
