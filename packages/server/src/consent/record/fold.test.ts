import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fold, lastAbout, type MergeRule, type Statement } from './fold.ts';

const bits = fc.nat({ max: 15 }).map(BigInt);
const statement = fc
  .record({
    at: fc.nat({ max: 6 }),
    eventId: fc.nat({ max: 30 }),
    mask: bits,
    value: bits,
    automatic: fc.boolean(),
    inherited: fc.boolean(),
  })
  .map(
    ({ eventId, value, mask, inherited, ...rest }): Statement => ({
      ...rest,
      inherited: inherited && !rest.automatic,
      mask,
      value: value & mask,
      eventId: `e${eventId}`,
    }),
  );
const rules = fc.constantFrom<MergeRule>('latest', 'own_first');
/** No id twice. */
const statements = fc.uniqueArray(statement, { selector: ({ eventId }) => eventId, maxLength: 12 });

it('comes to the same signature in whatever order statements arrive, and however often', () => {
  fc.assert(
    fc.property(statements, rules, fc.infiniteStream(fc.nat()), (said, rule, random) => {
      const shuffled = said
        .map((one) => ({ one, place: random.next().value as number }))
        .sort((a, b) => a.place - b.place)
        .map(({ one }) => one);
      expect(fold([...shuffled, ...said.slice(0, 3)], { rule })).toEqual(fold(said, { rule }));
    }),
  );
});

it('is for each purpose what was said last of what counts, by a walk over all of it', () => {
  fc.assert(
    fc.property(statements, rules, (said, rule) => {
      const { known, granted } = fold(said, { rule });
      for (let bit = 0n; bit < 4n; bit += 1n) {
        const about = said
          .filter(({ mask }) => (mask >> bit) & 1n)
          .sort((a, b) => a.at - b.at || (a.eventId < b.eventId ? -1 : 1));
        const firstAutomatic = about.findIndex(({ automatic }) => automatic);
        const hasChosen = about.some(({ automatic, inherited }) => !automatic && !inherited);
        const counting = about.filter(
          ({ automatic, inherited }, place) =>
            (!automatic || place === firstAutomatic) && !(inherited && hasChosen && rule === 'own_first'),
        );
        const last = counting.at(-1);
        expect((known >> bit) & 1n).toBe(last === undefined ? 0n : 1n);
        expect((granted >> bit) & 1n).toBe(last === undefined ? 0n : (last.value >> bit) & 1n);
      }
    }),
  );
});

it('tells which statement counts for a purpose', () => {
  fc.assert(
    fc.property(statements, rules, (said, rule) => {
      const { known, granted } = fold(said, { rule });
      for (const purpose of [1n, 2n, 4n, 8n]) {
        const last = lastAbout(purpose, said, rule);
        expect([last !== undefined, ((last?.value ?? 0n) & purpose) !== 0n]).toEqual([
          (known & purpose) !== 0n,
          (granted & purpose) !== 0n,
        ]);
      }
    }),
  );
});

it('keeps a choice that was made after the browser asked not to be tracked, on every later page', () => {
  const opted = { at: 5, eventId: 'choice', mask: 1n, value: 1n, automatic: false, inherited: false };
  const page = (at: number) => ({
    at,
    eventId: `page ${at}`,
    mask: 1n,
    value: 0n,
    automatic: true,
    inherited: false,
  });
  expect(fold([page(1)])).toEqual({ known: 1n, granted: 0n });
  expect(fold([page(1), opted, page(6), page(7)])).toEqual({ known: 1n, granted: 1n });
  expect(fold([{ ...opted, at: 0 }, page(6)])).toEqual({ known: 1n, granted: 0n });
});

it('lets what a browser said stand only where the person chose nothing, if their own words go first', () => {
  fc.assert(
    fc.property(statements, (said) => {
      const own = said.filter(({ inherited }) => !inherited);
      const chosen = fold(own.filter(({ automatic }) => !automatic)).known;
      const both = fold(said, { rule: 'own_first' });
      expect(both.granted & chosen).toBe(fold(own).granted & chosen);
      expect(both.granted & ~chosen).toBe(fold(said).granted & ~chosen);
      expect(both.known).toBe(fold(said).known);
    }),
  );
});

it('counts an agreement until it expires and a refusal for ever, by a walk over all that was said', () => {
  const validities = [
    { mask: 0b0011n, milliseconds: 2 },
    { mask: 0b0100n, milliseconds: 4 },
  ];
  fc.assert(
    fc.property(statements, fc.nat({ max: 12 }), fc.infiniteStream(fc.nat()), (said, now, random) => {
      const choices = said.map((one) => ({ ...one, automatic: false, inherited: false }));
      const shuffled = choices
        .map((one) => ({ one, place: random.next().value as number }))
        .sort((a, b) => a.place - b.place)
        .map(({ one }) => one);
      const folded = fold(shuffled, { validities, now });
      let next: number | undefined;
      for (let bit = 0n; bit < 4n; bit += 1n) {
        const about = choices
          .filter(({ mask }) => (mask >> bit) & 1n)
          .sort((a, b) => a.at - b.at || (a.eventId < b.eventId ? -1 : 1));
        const last = about.at(-1);
        const agreed = last !== undefined && ((last.value >> bit) & 1n) === 1n;
        const lasts = [2, 2, 4, Infinity][Number(bit)] ?? Infinity;
        const isOver = agreed && last.at + lasts <= now;
        if (agreed && !isOver && lasts !== Infinity) next = Math.min(next ?? Infinity, last.at + lasts);
        expect((folded.known >> bit) & 1n).toBe(last === undefined || isOver ? 0n : 1n);
        expect((folded.granted >> bit) & 1n).toBe(agreed && !isOver ? 1n : 0n);
      }
      expect(folded.expiresAt).toBe(next);
    }),
  );
});
