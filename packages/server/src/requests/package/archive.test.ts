import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readZip } from '../../../test/read-zip.ts';
import { csvCell, csvLine } from '../../foundation/index.ts';
import { packageFiles } from './archive.ts';
import type { ArchiveFile } from './archive-file.ts';
import { safeFileName, uniqueNames } from './file-name.ts';
import type { PackagedCollection } from './manifest.ts';
import { type WriteZipOptions, writeZip } from './write-zip.ts';

const STRETCH = 100;

type Row = Readonly<Record<string, unknown>>;

function collection(system: string, name: string, rows: readonly Row[]): PackagedCollection {
  return {
    system,
    name,
    columns: [...new Set(rows.flatMap((row) => Object.keys(row)))],
    rows: rows.length,
    bytes: rows.reduce((sum, row) => sum + Buffer.byteLength(JSON.stringify(row)) + 1, 0),
    async *read(from) {
      for (let start = from * STRETCH; start < rows.length; start += STRETCH)
        yield rows.slice(start, start + STRETCH).map((row) => JSON.stringify(row));
    },
  };
}

async function build(
  collections: readonly PackagedCollection[],
  notIncluded: readonly { system: string; reason: string }[] = [],
) {
  return readZip(await zipOf(filesOf(collections, notIncluded)));
}

function filesOf(
  collections: readonly PackagedCollection[],
  notIncluded: readonly { system: string; reason: string }[] = [],
): readonly ArchiveFile[] {
  return packageFiles({
    organization: 'acme',
    requestId: 'req_1',
    receivedAt: new Date('2026-01-02T00:00:00Z'),
    builtAt,
    collections,
    notIncluded,
  });
}

const builtAt = new Date('2026-01-03T00:00:00Z');

async function zipOf(files: readonly ArchiveFile[], from?: WriteZipOptions['from']): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const { bytes } of writeZip({
    files,
    time: builtAt,
    signal: new AbortController().signal,
    from,
  }))
    chunks.push(bytes);
  return Buffer.concat(chunks);
}

describe('a package', () => {
  it('holds every row as JSON and CSV, a page and a manifest whose hashes fit', async () => {
    const rows = Array.from({ length: 3_000 }, (_, index) => ({
      id: index,
      name: `Zoë "${index}"`,
      note: null,
    }));
    const files = await build([
      collection('shop', 'orders', rows),
      collection('mail', 'sent', [{ at: 'today' }]),
    ]);
    expect([...files.keys()]).toEqual([
      'data/shop/orders.json',
      'data/shop/orders.csv',
      'data/mail/sent.json',
      'data/mail/sent.csv',
      'index.html',
      'manifest.json',
    ]);
    expect(JSON.parse(String(files.get('data/shop/orders.json')))).toEqual(rows);
    expect(String(files.get('data/shop/orders.csv')).split('\r\n')).toHaveLength(3_002);
    const manifest = JSON.parse(String(files.get('manifest.json')));
    expect(manifest.files).toHaveLength(5);
    for (const { path, bytes, sha256 } of manifest.files) {
      const file = files.get(path) ?? Buffer.alloc(0);
      expect([path, file.length, createHash('sha256').update(file).digest('hex')]).toEqual([
        path,
        bytes,
        sha256,
      ]);
    }
  });

  it('says truthfully that nothing is held, and what is left out and why', async () => {
    const files = await build([], [{ system: 'analytics', reason: 'by hand' }]);
    expect(String(files.get('index.html'))).toContain('We hold no data about you');
    expect(JSON.parse(String(files.get('manifest.json'))).not_included).toEqual([
      { system: 'analytics', reason: 'by hand' },
    ]);
  });

  it('shows hostile names and values as text and loads nothing from elsewhere', async () => {
    const hostile = `<script>alert(1)</script>"'&`;
    const files = await build(
      [collection(hostile, '../../etc/passwd', [{ [hostile]: hostile }])],
      [{ system: hostile, reason: hostile }],
    );
    const page = String(files.get('index.html'));
    expect(page).not.toMatch(/<script/i);
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//i);
    expect(page).toContain('&lt;script&gt;');
    for (const path of files.keys()) expect(path.split('/')).not.toContain('..');
  });

  it('fails as a whole when a collection fails while it is read', async () => {
    const broken: PackagedCollection = {
      ...collection('shop', 'orders', [{ id: 1 }]),
      async *read() {
        yield ['{"id":1}'];
        throw new Error('the piece is damaged');
      },
    };
    await expect(build([broken])).rejects.toThrow('the piece is damaged');
  });
});

describe('a package that is interrupted', () => {
  it('goes on from anywhere and has the same bytes and the same hash', async () => {
    const rows = Array.from({ length: 9_000 }, (_, index) => ({ id: index, text: `${index} `.repeat(40) }));
    const files = () =>
      filesOf([
        collection('shop', 'orders', rows),
        collection('shop', 'few', [{ id: 1 }]),
        collection('mail', 'none', []),
      ]);
    const options = { time: builtAt, signal: new AbortController().signal };
    const whole = await zipOf(files());
    let done = 0;
    let places = 0;
    for await (const step of writeZip({ ...options, files: files() })) {
      done += step.bytes.length;
      if (step.sha256 !== undefined) {
        expect(step.sha256).toBe(createHash('sha256').update(whole).digest('hex'));
        break;
      }
      // As another process would read it.
      const cursor = JSON.parse(JSON.stringify(step.cursor()));
      const rest = await zipOf(files(), { cursor, written: JSON.parse(JSON.stringify(step.written)) });
      expect(rest.equals(whole.subarray(done))).toBe(true);
      places += 1;
    }
    // Every file in the middle and at both ends, and the directory.
    expect(places).toBeGreaterThan(30);
    expect(readZip(whole).size).toBe(8);
  });
});

describe('csv', () => {
  it.each(['=1+1', '+1', '-1+2', '@sum(a1)', '\t=1', '\r=1'])('takes the formula %j as text', (text) => {
    expect(csvCell(text).replace(/^"/, '')).toMatch(/^'/);
  });

  it('gives back any text that is no formula, and keeps numbers', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ unit: 'binary' }).filter((text) => !/^[=+\-@\t\r]/.test(text)),
          { minLength: 1 },
        ),
        (cells) => {
          expect(parseCsvLine(csvLine(cells))).toEqual(cells);
        },
      ),
    );
    expect(csvCell(-5)).toBe('-5');
    expect(csvCell({ a: 1 })).toBe('"{""a"":1}"');
  });
});

/** RFC 4180, written for this test alone. */
function parseCsvLine(line: string): string[] {
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    let cell = '';
    if (line[at] === '"') {
      at += 1;
      while (line[at] !== '"' || line[at + 1] === '"') {
        cell += line[at];
        at += line[at] === '"' ? 2 : 1;
      }
      at += 1;
    } else {
      while (line[at] !== ',' && line.slice(at) !== '\r\n') {
        cell += line[at];
        at += 1;
      }
    }
    cells.push(cell);
    if (line[at] !== ',') return cells;
    at += 1;
  }
}

describe('file names', () => {
  it('can be unpacked anywhere', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const name = safeFileName(text);
        expect(name).not.toBe('');
        expect(name).not.toMatch(/[\\/:*?"<>|\p{Cc}]|^\.|[. ]$|^(con|nul|aux|prn)(\.|$)/iu);
      }),
    );
  });

  it('are one for each text, even where case does not count', () => {
    const name = uniqueNames();
    expect([name('Orders'), name('orders'), name('Orders'), name('a/b'), name('a:b')]).toEqual([
      'Orders',
      'orders-2',
      'Orders',
      'a_b',
      'a_b-2',
    ]);
  });
});
