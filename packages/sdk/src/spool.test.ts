import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSpool } from './spool.ts';

const line = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => JSON.stringify(text));

describe('a spool', () => {
  it('gives the lines back in order in pages of any size, from memory and from its file, as often as asked', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(0, 100, 1_000_000),
        async (lines, limit, memoryBytes) => {
          const spool = createSpool({ memoryBytes });
          for (const one of lines) await spool.append(one);
          await spool.end();
          for (let time = 0; time < 2; time += 1) {
            const got: string[] = [];
            for (let offset: number | null = 0; offset !== null; ) {
              const page = await spool.page(offset, limit);
              expect(page.lines.length).toBeLessThanOrEqual(limit);
              if (page.next !== null) expect(page.lines.length).toBe(limit);
              got.push(...page.lines);
              offset = page.next;
            }
            expect(got).toEqual(lines);
          }
          await spool.close();
        },
      ),
    );
  });

  it('ends a page at about a mebibyte, and gives a longer line whole', async () => {
    const spool = createSpool();
    const long = 'x'.repeat(3_000_000);
    for (const text of [long, ...Array.from({ length: 5_000 }, () => 'y'.repeat(1_000))])
      await spool.append(text);
    await spool.end();
    const first = await spool.page(0, 10_000);
    expect(first.lines).toEqual([long]);
    const second = await spool.page(first.next ?? 0, 10_000);
    expect(second.lines.length).toBe(1_048);
    await spool.close();
  });

  it('refuses places that it did not give', async () => {
    for (const memoryBytes of [0, 1_000]) {
      const spool = createSpool({ memoryBytes });
      await spool.append('"one"');
      await spool.append('"two"');
      await spool.end();
      expect((await spool.page(6, 1)).lines).toEqual(['"two"']);
      for (const offset of [1, 5, 7, 13, -1]) await expect(spool.page(offset, 1)).rejects.toThrow(RangeError);
      await spool.close();
    }
  });
});
