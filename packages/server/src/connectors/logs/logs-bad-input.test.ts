import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  ftruncateSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eraseAnn, eraseAnnForEvidence, logsIn, SCOPE } from '../../../test/ann-logs.ts';
import { collect } from '../../../test/connector-contract.ts';
import { requireSmallDisk } from '../../../test/requirements.ts';
import { UNFINISHED } from './unfinished.ts';

const MB = 1 << 20;

function makeFolder(): string {
  const root = mkdtempSync(join(tmpdir(), 'habeas-logs-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

const unfinishedIn = (root: string) => readdirSync(root).filter((name) => name.endsWith(UNFINISHED));

/** A log of Bob's with a line of Ann's now and then. */
function manyLines(count: number): { readonly text: string; readonly withoutAnn: string } {
  const lines = Array.from({ length: count }, (_, n) =>
    n % 1_000 === 7 ? `${n} sent to ann@example.com\n` : `${n} sent to bob@example.com\n`,
  );
  return {
    text: lines.join(''),
    withoutAnn: lines.filter((line) => !line.includes('ann@')).join(''),
  };
}

describe('a line without an end', () => {
  // A gigabyte, with HABEAS_TEST_LINE_MB=1024.
  const bytes = Number(process.env.HABEAS_TEST_LINE_MB ?? 512) * MB;
  const most = 256 * MB;

  /** One line of so many bytes, in which Ann is named in the middle; a line of Bob's before it and after it. */
  function makeLine(root: string, name: string): { readonly path: string; readonly at: number } {
    const path = join(root, name);
    const file = openSync(path, 'w');
    // What was not written are zeros, which take no room on the disk.
    writeSync(file, 'before: bob@example.com\n', 0);
    const at = Math.floor(bytes / 2);
    writeSync(file, ' ann@example.com ', at);
    ftruncateSync(file, bytes);
    writeSync(file, ' end\nafter: bob@example.com\n', bytes);
    closeSync(file);
    return { path, at: at + 1 };
  }

  /** The most memory that it takes beyond what is taken before. */
  async function memoryOf(act: () => Promise<unknown>): Promise<number> {
    const before = process.memoryUsage.rss();
    let peak = before;
    const timer = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss());
    }, 1);
    try {
      await act();
    } finally {
      clearInterval(timer);
    }
    return peak - before;
  }

  test('goes as a whole, with no more of it in memory than a part', async () => {
    const root = makeFolder();
    const { path } = makeLine(root, 'app.log.1');
    expect(
      await memoryOf(async () => {
        expect(await eraseAnn(root)).toBe(1);
      }),
    ).toBeLessThan(most);
    expect(readFileSync(path, 'utf8')).toBe('before: bob@example.com\nafter: bob@example.com\n');
  });

  test('is overwritten where it lies in a file that is written to, and handed over by its place', async () => {
    const root = makeFolder();
    const { path, at } = makeLine(root, 'app.log');
    const ann = [{ type: 'email', value: 'ann@example.com' }];
    const used = await memoryOf(async () => {
      const { items, evidence } = await collect({ connector: logsIn(root) }, ann);
      expect(items).toEqual([
        { collection: 'app', row: { file: 'app.log', from: 24, to: bytes + ' end\n'.length } },
      ]);
      expect(evidence.notes).toEqual([expect.stringContaining('too long to be handed over')]);
      expect(await eraseAnn(root, { onErase: 'mask' })).toBe(1);
    });
    expect(used).toBeLessThan(most);
    expect(statSync(path).size).toBe(bytes + ' end\nafter: bob@example.com\n'.length);
    const middle = Buffer.alloc(17);
    const file = openSync(path, 'r');
    readSync(file, middle, 0, 17, at - 1);
    closeSync(file);
    expect(middle.toString()).toBe(` ${'*'.repeat(15)} `);
  });

  test('in a packed file takes no more memory', async () => {
    const root = makeFolder();
    // It repeats itself within the window of gzip, so that unpacking it is no work.
    const part = gzipSync(
      randomBytes(8 * 1024)
        .toString('hex')
        .repeat(1024),
    );
    // Members of gzip one after the other are one file.
    const file = openSync(join(root, 'app.log.1.gz'), 'w');
    for (let size = 0; size < bytes; size += 16 * MB) writeSync(file, part);
    writeSync(file, gzipSync(' ann@example.com '));
    closeSync(file);
    const used = await memoryOf(async () => {
      expect(await eraseAnn(root)).toBe(1);
    });
    expect(used).toBeLessThan(most);
  });
});

const disk = requireSmallDisk(3 * MB);
test.skipIf(disk === undefined)(
  'a disk that is full while a log is rewritten leaves the old one, and nothing beside it',
  async () => {
    if (disk === undefined) return;
    onTestFinished(disk.remove);
    const { text, withoutAnn } = manyLines(60_000);
    expect(text.length).toBeGreaterThan(1.5 * MB);
    const path = join(disk.path, 'app.log.1');
    writeFileSync(path, text);
    await expect(eraseAnn(disk.path)).rejects.toMatchObject({
      code: 'SYSTEM_FAILED',
      retryable: true,
      message: expect.stringMatching(/has no space left/),
    });
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(unfinishedIn(disk.path)).toEqual([]);
    // With room it goes through.
    spawnSync('mount', ['-o', `remount,size=${8 * MB}`, disk.path]);
    expect(await eraseAnn(disk.path)).toBe(60);
    expect(readFileSync(path, 'utf8')).toBe(withoutAnn);
  },
  60_000,
);

test('a log that is rotated away while it is rewritten is left, and so is the new one', async () => {
  const root = makeFolder();
  const { text } = manyLines(400_000);
  const path = join(root, 'app.log.1');
  writeFileSync(path, text);
  const erasing = eraseAnn(root);
  erasing.catch(() => undefined);
  while (unfinishedIn(root).length === 0) await new Promise(setImmediate);
  // As logrotate does it, with a copy of the same length.
  copyFileSync(path, join(root, 'another'));
  renameSync(path, join(root, 'app.log.2'));
  renameSync(join(root, 'another'), path);
  await expect(erasing).rejects.toMatchObject({ code: 'SYSTEM_FAILED', retryable: true });
  expect(readFileSync(path, 'utf8')).toBe(text);
  expect(readFileSync(join(root, 'app.log.2'), 'utf8')).toBe(text);
  expect(unfinishedIn(root)).toEqual([]);
  expect(await eraseAnn(root)).toBe(800);
});

test('bytes that are no UTF-8 stay as they are, around a line that goes', async () => {
  const root = makeFolder();
  const [before, after] = [
    Buffer.from([0xff, 0xc3, 0x28, 0x0a]),
    Buffer.from([0xed, 0xa0, 0x80, 0x0a, 0xf0]),
  ];
  const named = Buffer.concat([
    Buffer.from([0xfe, 0x20]),
    Buffer.from('ann@example.com '),
    Buffer.from([0x80, 0x0a]),
  ]);
  writeFileSync(join(root, 'app.log.1'), Buffer.concat([before, named, after]));
  expect(await eraseAnn(root)).toBe(1);
  expect(readFileSync(join(root, 'app.log.1')).equals(Buffer.concat([before, after]))).toBe(true);
});

describe('kill -9 while a log is rewritten', () => {
  function start(root: string, turns = 1): ChildProcess {
    const script = join(import.meta.dirname, '../../../test/erase-logs-process.ts');
    const child = spawn(process.execPath, [script, root, String(turns)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    return child;
  }

  const kill = async (child: ChildProcess) => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };

  const { text, withoutAnn } = manyLines(600_000);

  test.each([
    ['as soon as the new one is there', 0],
    ['when a third of it is written', 1 / 3],
    ['when nearly all of it is written', 0.95],
  ])(
    '%s: the old one stands, and a later try ends in the same state',
    async (_, share) => {
      const root = makeFolder();
      const path = join(root, 'app.log.1');
      writeFileSync(path, text);
      const child = start(root);
      const isReached = () =>
        unfinishedIn(root).some((name) => statSync(join(root, name)).size >= share * withoutAnn.length);
      while (!isReached() && child.exitCode === null) await new Promise(setImmediate);
      await kill(child);
      // On a machine that is slow it may have come to its end before it was killed: then all of it is new.
      const left = readFileSync(path, 'utf8');
      expect(left === text || left === withoutAnn).toBe(true);
      await eraseAnn(root);
      expect(readFileSync(path, 'utf8')).toBe(withoutAnn);
      // With all that the crash left.
      expect(readdirSync(root)).toEqual(['app.log.1']);
    },
    60_000,
  );

  const acts: Readonly<Record<string, (root: string) => Promise<unknown>>> = {
    'another erasure': (root) => eraseAnn(root, { idempotencyKey: 'another' }),
    'an access': (root) => collect({ connector: logsIn(root) }, []),
    'a reading': (root) =>
      logsIn(root).verify({
        ...SCOPE,
        signal: new AbortController().signal,
        keys: async function* () {
          yield* [];
        },
      }),
    'the next sweep': (root) => logsIn(root).sweep?.(new AbortController().signal) ?? Promise.reject(),
  };

  test.each(Object.entries(acts))(
    'what it leaves is removed by %s at once, and is not while its process lives',
    async (_, act) => {
      const root = makeFolder();
      const path = join(root, 'app.log.1');
      writeFileSync(path, text);
      const child = start(root);
      while (unfinishedIn(root).length === 0 && child.exitCode === null) await new Promise(setImmediate);
      child.kill('SIGSTOP');
      expect(unfinishedIn(root)).toHaveLength(1);
      await logsIn(root).sweep?.(new AbortController().signal);
      expect(unfinishedIn(root)).toHaveLength(1);
      await kill(child);
      expect(unfinishedIn(root)).toHaveLength(1);
      await act(root);
      expect(unfinishedIn(root)).toEqual([]);
    },
    60_000,
  );

  test('what a process of another machine makes is told as a copy, and goes when nobody writes it any more', async () => {
    const root = makeFolder();
    writeFileSync(join(root, 'app.log.1'), 'ann@example.com\n');
    const foreign = `app.log.1.0123456789abcdef.fedcba987654-7-12345${UNFINISHED}`;
    writeFileSync(join(root, foreign), 'ann@example.com\n');
    const { residuals } = await eraseAnnForEvidence(root);
    expect(residuals).toContainEqual({
      what: expect.stringMatching(/^1 unfinished files beside the logs/),
      until: expect.any(String),
      copy: 'unfinished-files',
    });
    expect(unfinishedIn(root)).toEqual([foreign]);
    const later = logsIn(root, { hours: 1 });
    expect(await later.sweep?.(new AbortController().signal)).toEqual({ removed: 1, left: 0 });
    expect(readdirSync(root)).toEqual(['app.log.1']);
  });

  test('among lines that are overwritten where they lie: a later try finds what is left of each', async () => {
    const root = makeFolder();
    const path = join(root, 'app.log');
    const lines = Array.from(
      { length: 12_000 },
      (_, n) => `${n} of ${n % 2 === 0 ? 'ann' : 'bob'}@example.com`,
    );
    writeFileSync(path, `${lines.join('\n')}\n`);
    const file = openSync(path, 'r');
    onTestFinished(() => closeSync(file));
    const child = start(root);
    const first = Buffer.alloc(4);
    const isBegun = () => readSync(file, first, 0, 4, 0) === 4 && first.toString() !== '0 of';
    while (!isBegun() && child.exitCode === null) await new Promise(setImmediate);
    await kill(child);
    expect(readFileSync(path, 'utf8')).toContain('ann@example.com');
    await eraseAnn(root);
    const want = lines.map((line) => (line.includes('ann') ? ' '.repeat(line.length) : line));
    expect(readFileSync(path, 'utf8').split('\n').slice(0, -1)).toEqual(want);
  });

  test('in a file that a process keeps writing to: no line of it is lost or changed, and the person’s are gone', async () => {
    const root = makeFolder();
    const path = join(root, 'app.log');
    writeFileSync(path, '');
    const inode = lstatSync(path).ino;
    let n = 0;
    const write = () => {
      for (let i = 0; i < 5; i += 1, n += 1)
        appendFileSync(path, `${n} of ${n % 5 === 0 ? 'ann' : 'bob'}@example.com\n`);
    };
    for (let killed = 0; killed < 5; killed += 1) {
      for (let i = 0; i < 40; i += 1) write();
      const child = start(root, 1_000);
      let begun = 0;
      child.stdout?.on('data', (text: Buffer) => {
        begun += text.toString().split('begin').length - 1;
      });
      // Some moment within a round, another one each time.
      while (begun < 2 + killed) {
        write();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      for (let i = 0; i < killed * 3; i += 1) await new Promise(setImmediate);
      await kill(child);
    }
    await eraseAnn(root);
    const want = Array.from({ length: n }, (_, line) =>
      line % 5 === 0 ? ' '.repeat(`${line} of ann@example.com`.length) : `${line} of bob@example.com`,
    );
    expect(readFileSync(path, 'utf8').split('\n').slice(0, -1)).toEqual(want);
    expect(lstatSync(path).ino).toBe(inode);
  });
});
