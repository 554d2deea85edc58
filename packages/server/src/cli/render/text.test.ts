import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { count, padEnd, printable, truncate, widthOf, wrap } from './text.ts';

describe('widthOf', () => {
  it('counts columns, not characters', () => {
    expect(widthOf('abc')).toBe(3);
    expect(widthOf('\u001b[32mabc\u001b[39m')).toBe(3);
    expect(widthOf('é')).toBe(1);
    expect(widthOf('e\u0301')).toBe(1);
    expect(widthOf('日本')).toBe(4);
  });
});

describe('printable', () => {
  it('takes away what could move the cursor, colour the screen or turn the direction', () => {
    expect(printable('a\u001b[2Kb\r\nc\u202ed\u0007')).toBe('a [2Kb c d ');
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !/[\p{Cc}\u202e]/u.test(printable(text))));
  });
});

describe('truncate and wrap', () => {
  it('never give a line that is wider than asked', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'b', ' ', 'é', '-') }),
        fc.integer({ min: 2, max: 20 }),
        (text, width) => {
          expect(widthOf(truncate(text, width))).toBeLessThanOrEqual(width);
          for (const line of wrap(text, width)) expect(widthOf(line)).toBeLessThanOrEqual(width);
        },
      ),
    );
  });

  it('lose no word when they wrap', () => {
    expect(wrap('one two  three\nfour', 9)).toEqual(['one two', 'three', 'four']);
    expect(wrap('abcdefghij k', 4)).toEqual(['abcd', 'efgh', 'ij k']);
  });

  it('say by … that something was cut', () => {
    expect(truncate('abcdef', 4)).toBe('abc…');
    expect(truncate('abc', 4)).toBe('abc');
  });
});

describe('padEnd and count', () => {
  it('fill up by columns and use the right number', () => {
    expect(padEnd('日', 4)).toBe('日  ');
    expect([count(1, 'gap'), count(2, 'gap'), count(12_000, 'entry', 'entries')]).toEqual([
      '1 gap',
      '2 gaps',
      '12,000 entries',
    ]);
  });
});
