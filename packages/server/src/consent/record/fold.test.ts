import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fold, foldLater, type Statement } from './fold.ts';

const bits = fc.nat({ max: 15 }).map(BigInt);
const statement = fc
  .record({
    at: fc.nat({ max: 6 }),
    eventId: fc.nat({ max: 30 }),
    mask: bits,
    value: bits,
    automatic: fc.boolean(),
  })
  .map(
    ({ eventId, value, mask, ...rest }): Statement => ({
      ...rest,
      mask,
      value: value & mask,
      eventId: `e${eventId}`,
    }),
  );
/** No id twice. */
const statements = fc.uniqueArray(statement, { selector: ({ eventId }) => eventId, maxLength: 12 });

it('comes to the same signature in whatever order statements arrive, and however often', () => {
  fc.assert(
    fc.property(statements, fc.infiniteStream(fc.nat()), (said, random) => {
      const shuffled = said
        .map((one) => ({ one, place: random.next().value as number }))
        .sort((a, b) => a.place - b.place)
        .map(({ one }) => one);
      expect(fold([...shuffled, ...said.slice(0, 3)])).toEqual(fold(said));
    }),
  );
});

it('is for each purpose what was said last, by a walk over all of it', () => {
  fc.assert(
    fc.property(statements, (said) => {
      const { known, granted } = fold(said);
      for (let bit = 0n; bit < 4n; bit += 1n) {
        const about = said
          .filter(({ mask }) => (mask >> bit) & 1n)
          .sort((a, b) => a.at - b.at || (a.eventId < b.eventId ? -1 : 1));
        const firstAutomatic = about.findIndex(({ automatic }) => automatic);
        const counting = about.filter(({ automatic }, place) => !automatic || place === firstAutomatic);
        const last = counting.at(-1);
        expect((known >> bit) & 1n).toBe(last === undefined ? 0n : 1n);
        expect((granted >> bit) & 1n).toBe(last === undefined ? 0n : (last.value >> bit) & 1n);
      }
    }),
  );
});

it('goes on from a signature with what is later', () => {
  const plain = statements.map((said) => said.map((one) => ({ ...one, automatic: false })));
  fc.assert(
    fc.property(plain, fc.nat({ max: 6 }), (said, until) => {
      const before = said.filter(({ at }) => at < until);
      const later = said.filter(({ at }) => at >= until);
      expect(foldLater(fold(before), later)).toEqual(fold(said));
    }),
  );
});

it('keeps a choice that was made after the browser asked not to be tracked, on every later page', () => {
  const opted = { at: 5, eventId: 'choice', mask: 1n, value: 1n, automatic: false };
  const page = (at: number) => ({ at, eventId: `page ${at}`, mask: 1n, value: 0n, automatic: true });
  expect(fold([page(1)])).toEqual({ known: 1n, granted: 0n });
  expect(fold([page(1), opted, page(6), page(7)])).toEqual({ known: 1n, granted: 1n });
  expect(fold([{ ...opted, at: 0 }, page(6)])).toEqual({ known: 1n, granted: 0n });
});
