import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Decrypter } from 'age-encryption';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requireProgram } from '../../../test/requirements.ts';
import { ageStream, CHUNK_BYTES, newAgeFile } from './age-stream.ts';

async function sealed(plain: Buffer) {
  const { key, header } = await newAgeFile();
  const age = ageStream(key, header);
  const chunks: Buffer[] = [header];
  const last = Math.max(Math.ceil(plain.length / CHUNK_BYTES) - 1, 0);
  for (let chunk = 0; chunk <= last; chunk += 1)
    chunks.push(
      age.seal(plain.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES), chunk, chunk === last),
    );
  return { file: Buffer.concat(chunks), key, header, age };
}

describe('an age file', () => {
  it('is opened by the library whatever its size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.integer({ min: 1, max: 3 * CHUNK_BYTES }),
          fc.constantFrom(CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES),
        ),
        async (length) => {
          const plain = Buffer.alloc(length, 'payload ');
          const { file, key } = await sealed(plain);
          const decrypter = new Decrypter();
          decrypter.addIdentity(key.identity);
          expect(Buffer.from(await decrypter.decrypt(file)).equals(plain)).toBe(true);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('opens nowhere but where it was sealed, and not when a bit is changed', async () => {
    const { age } = await sealed(Buffer.from('payload'));
    const piece = age.seal(Buffer.from('payload'), 3, false);
    expect(age.open(piece, 3, false).toString()).toBe('payload');
    const changed = Buffer.from(piece);
    changed.writeUInt8(changed.readUInt8(2) ^ 1, 2);
    const other = ageStream((await newAgeFile()).key, (await newAgeFile()).header);
    for (const open of [
      () => age.open(piece, 4, false),
      () => age.open(piece, 3, true),
      () => age.open(changed, 3, false),
      () => age.open(piece.subarray(0, 3), 3, false),
      () => other.open(piece, 3, false),
    ])
      expect(open).toThrow(expect.objectContaining({ code: 'SYSTEM_GARBAGE' }));
  });
});

const program = requireProgram('age');

describe.skipIf(program === undefined)('the age tool', () => {
  it('opens a file with the key that belongs to it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'habeas-age-'));
    try {
      const plain = Buffer.alloc(5 * CHUNK_BYTES + 7, 'payload ');
      const { file, key } = await sealed(plain);
      writeFileSync(join(folder, 'package.zip.age'), file);
      writeFileSync(join(folder, 'key.txt'), `${key.identity}\n`, { mode: 0o600 });
      const opened = spawnSync('age', ['--decrypt', '--identity', 'key.txt', 'package.zip.age'], {
        cwd: folder,
      });
      expect([opened.status, opened.stdout.equals(plain)]).toEqual([0, true]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
