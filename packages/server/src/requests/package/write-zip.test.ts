import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireProgram } from '../../../test/requirements.ts';
import type { ArchiveFile } from './archive-file.ts';
import { resumableHash } from './resumable-hash.ts';
import { type WriteZipOptions, writeZip } from './write-zip.ts';
import { localHeader } from './zip-format.ts';

const time = new Date('2026-03-01T12:34:56Z');
const { signal } = new AbortController();
const GIBIBYTE = 1024 ** 3;
const python = requireProgram('python3');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'habeas-zip-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const BLOCK = `${'the same row again and again; '.repeat(1_130)}\n`.repeat(31).slice(0, 1024 * 1024);

/** The same block again and again, so that nothing has to be kept. */
function repeated(path: string, block: string, blocks: number): ArchiveFile {
  return {
    path,
    compress: true,
    async *blocks(from) {
      for (let index = from; index < blocks; index += 1) yield { text: block, last: index === blocks - 1 };
    },
  };
}

/** Writes what is left of a zip behind what is there already, and gives the most memory that was resident meanwhile, in bytes. */
async function writeTo(file: string, options: Pick<WriteZipOptions, 'files' | 'from'>): Promise<number> {
  const handle = openSync(file, 'w');
  let at = options.from?.cursor.bytes ?? 0;
  let most = 0;
  let steps = 0;
  try {
    // A hole: the disk holds nothing of it.
    ftruncateSync(handle, at);
    for await (const { bytes } of writeZip({ ...options, time, signal })) {
      at += writeSync(handle, bytes, 0, bytes.length, at);
      steps += 1;
      if (steps % 256 === 0) most = Math.max(most, process.memoryUsage.rss());
    }
  } finally {
    closeSync(handle);
  }
  return most;
}

/** What a reader that is not ours says of a zip. */
function read(file: string, script: string): unknown {
  const code = `import json, sys, zipfile\nwith zipfile.ZipFile(sys.argv[1]) as zip:\n${script
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')}`;
  const ran = spawnSync('python3', ['-c', code, file], { encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(ran.stderr);
  return JSON.parse(ran.stdout);
}

describe.skipIf(python === undefined)('a large zip, as Python reads it', () => {
  it('is written without being held', async () => {
    const file = join(folder, 'large.zip');
    const blocks = 400;
    const before = process.memoryUsage.rss();
    const most = await writeTo(file, { files: [repeated('data/large.json', BLOCK, blocks)] });
    expect((most - before) / GIBIBYTE).toBeLessThan(0.2);
    // Reading to the end checks the CRC.
    expect(read(file, 'print(json.dumps([zip.testzip(), zip.infolist()[0].file_size]))')).toEqual([
      null,
      BLOCK.length * blocks,
    ]);
  });

  it('has a file that grows over 4 GiB', async () => {
    const file = join(folder, 'wide.zip');
    const path = 'data/large.json';
    const begun = 4 * GIBIBYTE - BLOCK.length;
    // What was written of it so far are zeros: a hole, which no disk holds.
    const { length: header } = localHeader({ path, method: 'stored', wide: true }, time);
    const hash = await resumableHash();
    hash.begin();
    const files: ArchiveFile[] = [
      { ...repeated(path, BLOCK, 8), compress: false },
      repeated('data/small.json', 'small', 1),
    ];
    const open = {
      offset: 0,
      block: 0,
      ended: false,
      crc: 0,
      size: begun,
      packedSize: begun,
      hash: hash.state(),
    };
    const cursor = { bytes: header + begun, hash: hash.state(), written: 0, open, directory: null };
    await writeTo(file, { files, from: { cursor, written: [] } });
    const handle = openSync(file, 'r+');
    writeSync(handle, localHeader({ path, method: 'stored', wide: true }, time), 0, header, 0);
    closeSync(handle);
    const size = begun + 8 * BLOCK.length;
    expect(
      read(
        file,
        [
          'sizes = [info.file_size for info in zip.infolist()]',
          'print(json.dumps([sizes, zip.read("data/small.json").decode()]))',
        ].join('\n'),
      ),
    ).toEqual([[size, 5], 'small']);
  });

  it('goes on behind 100 GB', async () => {
    const file = join(folder, 'hundred.zip');
    const hundred = 100_000_000_000;
    const hash = await resumableHash();
    hash.begin();
    // What was written so far is a hole; what is behind it is real.
    const entry = {
      path: 'data/first.json',
      method: 'stored',
      wide: true,
      crc: 0,
      size: hundred,
      packedSize: hundred,
      offset: 0,
      sha256: '',
    } as const;
    const files = [repeated('data/first.json', '', 1), repeated('data/behind.json', 'behind', 3)];
    const cursor = { bytes: hundred + 200, hash: hash.state(), written: 1, open: null, directory: null };
    await writeTo(file, { files, from: { cursor, written: [entry] } });
    expect(
      read(
        file,
        [
          'sizes = [(info.filename, info.file_size, info.header_offset) for info in zip.infolist()]',
          'print(json.dumps([sizes, zip.read("data/behind.json").decode()]))',
        ].join('\n'),
      ),
    ).toEqual([
      [
        ['data/first.json', hundred, 0],
        ['data/behind.json', 18, hundred + 200],
      ],
      'behindbehindbehind',
    ]);
  });

  it('has more than 65,535 files', async () => {
    const file = join(folder, 'many.zip');
    const many = 66_000;
    const files = Array.from(
      { length: many },
      (_, index): ArchiveFile => ({
        ...repeated(`data/${index}.json`, `${index}`, 1),
        compress: false,
        atMostBytes: 10,
      }),
    );
    await writeTo(file, { files });
    expect(
      read(
        file,
        'print(json.dumps([len(zip.namelist()), zip.testzip(), zip.read("data/65999.json").decode()]))',
      ),
    ).toEqual([many, null, '65999']);
  });
});
