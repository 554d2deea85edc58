import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrng } from './people/prng.ts';
import { people, person } from './people.ts';

const index = fc.integer({ min: 0, max: 1_000_000 });

describe('people', () => {
  it('makes the same person each time, whoever was made before', () => {
    fc.assert(
      fc.property(index, index, (n, other) => {
        const first = person(n);
        person(other);
        expect(person(n)).toEqual(first);
      }),
    );
  });

  it('makes the same people for every size of the company', () => {
    expect([...people(300)].slice(0, 100)).toEqual([...people(100)]);
  });

  it('gives everybody e-mail addresses and a user id that nobody else has', () => {
    const identities = [...people(20_000)].flatMap(({ userId, email, newsEmail }) => [
      userId,
      email,
      ...(newsEmail === undefined ? [] : [newsEmail]),
    ]);
    expect(new Set(identities).size).toBe(identities.length);
  });

  it('uses only domains and addresses that are reserved for examples', () => {
    fc.assert(
      fc.property(index, (n) => {
        const { email, ip } = person(n);
        expect(email).toMatch(/@(example\.(com|org|net)|bücher\.example)$/);
        expect(ip).toMatch(/^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$|^2001:db8:/);
      }),
    );
  });

  it('holds names of many scripts, and e-mail addresses that careless code breaks on', () => {
    const all = [...people(2_000)];
    for (const script of [
      'Latin',
      'Cyrillic',
      'Greek',
      'Georgian',
      'Arabic',
      'Hebrew',
      'Devanagari',
      'Han',
    ]) {
      expect(all.some(({ name }) => new RegExp(`\\p{Script=${script}}`, 'u').test(name))).toBe(true);
    }
    for (const part of [/\+/, /'/, /^".* .*"@/, /\\"/, /[^\p{ASCII}].*@/u, /@bücher/]) {
      expect(all.filter(({ email }) => part.test(email)).length).toBeGreaterThan(10);
    }
  });
});

describe('createPrng', () => {
  it('stays below the limit and reaches everything under it', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 20 }), (seed, below) => {
        const prng = createPrng(seed);
        const drawn = new Set(Array.from({ length: 600 }, () => prng.int(below)));
        expect([...drawn].every((value) => Number.isInteger(value) && value >= 0 && value < below)).toBe(
          true,
        );
        expect(drawn.size).toBe(below);
      }),
    );
  });

  it('gives neighbouring seeds streams of their own', () => {
    const firsts = Array.from({ length: 1_000 }, (_, seed) => createPrng(7, seed).int(2 ** 32));
    expect(new Set(firsts).size).toBeGreaterThan(995);
  });
});
