import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readHandOver } from './hand-over.ts';

const folder = mkdtempSync(join(tmpdir(), 'habeas-hand-over-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe('readHandOver', () => {
  it('takes rows by collection, and JSON lines as one collection', async () => {
    const rows = { events: [{ ip: '192.0.2.1' }], clicks: [] };
    expect(await readHandOver(fileOf('all.json', JSON.stringify(rows)))).toEqual(rows);
    expect(await readHandOver(fileOf('visits.jsonl', '{"a":1}\n\n{"a":2}\n'))).toEqual({
      visits: [{ a: 1 }, { a: 2 }],
    });
  });

  it('says where a file is wrong, and never what stands there', async () => {
    for (const [file, place] of [
      [fileOf('broken.jsonl', '{"a":1}\n{"email":"ada@example.org"'), 'broken.jsonl:2'],
      [fileOf('list.jsonl', '["ada@example.org"]'), 'list.jsonl:1'],
      [fileOf('flat.json', '{"email":"ada@example.org"}'), 'flat.json'],
      [join(folder, 'nowhere.json'), 'nowhere.json'],
    ] as const) {
      const error = await readHandOver(file).then(
        () => undefined,
        (thrown: Error) => thrown,
      );
      expect(error).toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining(place) });
      expect(error?.message).not.toContain('ada@');
    }
  });
});
