import {
  appendFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { logsIn } from '../../../test/ann-logs.ts';
import { erase, located, scopeOf, sum } from '../../../test/connector-contract.ts';

const MB = 1 << 20;
const ANN = [{ type: 'email', value: 'ann@example.com' }];
const BOB = [{ type: 'email', value: 'bob@example.com' }];
const WRITTEN = new Date('2026-01-01T00:00:00Z');
const LINE = 'seen cid@example.com in a line of somebody else\n';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'habeas-clean-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

/** How many bytes this process has read while something was done, from files and all else. */
async function readDuring(act: () => Promise<unknown>): Promise<number> {
  const read = () => Number(/^rchar: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
  const before = read();
  await act();
  return read() - before;
}

/** Rotated logs of which Ann is in one alone; each is larger than all that is read beside them. */
function makeLogs(): void {
  const text = LINE.repeat((8 * MB) / LINE.length);
  writeFileSync(join(root, 'app.log'), 'begun\n');
  writeFileSync(join(root, 'app.log.1'), `seen ann@example.com\n${LINE}`);
  writeFileSync(join(root, 'app.log.2'), text);
  // A whole second, which can be set again exactly.
  utimesSync(join(root, 'app.log.2'), WRITTEN, WRITTEN);
  // Letters that cannot be packed keep the packed file large.
  const random = Buffer.from(crypto.getRandomValues(new Uint8Array(65_536)));
  writeFileSync(
    join(root, 'app.log.3.gz'),
    gzipSync(Buffer.concat(Array.from({ length: 128 }, () => random)), { level: 0 }),
  );
}

/** Its clock is ahead, so that the files are not as if they had been written this very moment. */
const connect = () => logsIn(root, { hours: 0.1 });

describe('rotated logs that did not change between the steps of a request', () => {
  test('are read once, and those in which something was found again', async () => {
    makeLogs();
    const connector = connect();
    let scope = scopeOf(ANN, []);
    const first = await readDuring(async () => {
      scope = await located({ connector }, ANN);
    });
    expect(first).toBeGreaterThan(16 * MB);
    const then = await readDuring(async () => {
      expect((await erase({ connector }, scope)).counts).toEqual({ app: 1 });
      for (const _ of ['verify', 'confirm'])
        expect((await connector.verify(scope)).remaining).toEqual({ app: 0 });
    });
    expect(then).toBeLessThan(MB);
    expect(readFileSync(join(root, 'app.log.1'), 'utf8')).toBe(LINE);
    const another = await readDuring(() => connector.verify(scopeOf(BOB, [])));
    expect(another).toBeGreaterThan(16 * MB);
  });

  test.each<readonly [string, (path: string) => void]>([
    ['gets another line', (path) => appendFileSync(path, 'seen ann@example.com\n')],
    [
      'is written over with its size and time as they were',
      (path) => {
        const { mtimeMs, size } = statSync(path);
        writeSync(openSync(path, 'r+'), 'seen ann@example.com\n', 0);
        utimesSync(path, WRITTEN, WRITTEN);
        expect(statSync(path)).toMatchObject({ size, mtimeMs });
      },
    ],
    [
      'is replaced',
      (path) => {
        rmSync(path);
        writeFileSync(path, `${LINE}seen ann@example.com\n`);
      },
    ],
  ])('are read again where one %s', async (_, change) => {
    makeLogs();
    const connector = connect();
    const scope = await located({ connector }, ANN);
    await erase({ connector }, scope);
    expect(sum((await connector.verify(scope)).remaining)).toBe(0);
    change(join(root, 'app.log.2'));
    expect((await connector.verify(scope)).remaining).toEqual({ app: 1 });
    expect((await erase({ connector }, scope)).counts).toEqual({ app: 1 });
    expect((await connector.verify(scope)).remaining).toEqual({ app: 0 });
  });

  test('are read again where they were written just before', async () => {
    makeLogs();
    // By its clock they were not even written yet.
    const connector = logsIn(root, { hours: -1 });
    const scope = await located({ connector }, ANN);
    expect(await readDuring(() => connector.verify(scope))).toBeGreaterThan(16 * MB);
  });
});
