import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import yazl from 'yazl';
import { readPackage } from './package-contents.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'habeas-package-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const FILES = { 'data/shop/customers.json': '[{"id":1}]\n', 'data/å/b.csv': 'a,b\r\n'.repeat(5_000) };

async function write(changes: Readonly<Record<string, string>> = {}): Promise<string> {
  const manifest = {
    collections: [{ system: 'shop', collection: 'customers', rows: 1 }],
    files: Object.entries(FILES).map(([path, text]) => ({
      path,
      bytes: Buffer.byteLength(text),
      sha256: createHash('sha256').update(text).digest('hex'),
    })),
    not_included: [{ system: 'analytics', reason: 'by ticket' }],
  };
  const zip = new yazl.ZipFile();
  for (const [path, text] of Object.entries({ ...FILES, ...changes })) zip.addBuffer(Buffer.from(text), path);
  zip.addBuffer(Buffer.from(JSON.stringify(manifest)), 'manifest.json');
  zip.end();
  const file = join(folder, `${Object.keys(changes).length}.zip`);
  writeFileSync(file, await buffer(zip.outputStream));
  return file;
}

describe('reading a package', () => {
  it('gives what the manifest says after every file was compared with it', async () => {
    expect(await readPackage(await write())).toMatchObject({
      collections: [{ system: 'shop', collection: 'customers', rows: 1 }],
      files: [{ path: 'data/shop/customers.json' }, { path: 'data/å/b.csv' }],
      not_included: [{ system: 'analytics' }],
    });
  });

  it('refuses a file that was changed, one that nobody named, and what is no zip', async () => {
    const garbage = expect.objectContaining({ code: 'SYSTEM_GARBAGE' });
    await expect(readPackage(await write({ 'data/shop/customers.json': '[{"id":2}]\n' }))).rejects.toEqual(
      garbage,
    );
    await expect(readPackage(await write({ 'extra.txt': 'x' }))).rejects.toEqual(garbage);
    const file = join(folder, 'none.zip');
    writeFileSync(file, 'no zip at all, but long enough to hold a directory');
    await expect(readPackage(file)).rejects.toEqual(garbage);
  });
});
