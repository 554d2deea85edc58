import { expect, it } from 'vitest';
import { RIGHTS, readPart, sliceOf, WHOLE } from './part.ts';

it('is the whole where nothing is said', () => {
  expect(readPart({})).toEqual(WHOLE);
});

it('is of some rights, in the order in which they are tried', () => {
  expect(readPart({ only: 'erasure, access' })).toEqual({ ...WHOLE, rights: ['access', 'erasure'] });
});

it.each([
  [{ only: 'acces' }, 'no right "acces"'],
  [{ only: '' }, 'no right ""'],
  [{ slice: '3' }, '"3" is no part'],
  [{ slice: '0/5' }, '"0/5" is no part'],
  [{ slice: '6/5' }, '"6/5" is no part'],
])('%j is refused', (given, words) => {
  expect(readPart(given)).toContain(words);
});

it('has slices that are all of it together, and no two of which share a failpoint', () => {
  const slices = [1, 2, 3].map((which) => sliceOf(RIGHTS, { which, of: 3 }));
  expect(slices.flat().toSorted()).toEqual(RIGHTS.toSorted());
  expect(slices.map(({ length }) => length)).toEqual([3, 3, 2]);
});
