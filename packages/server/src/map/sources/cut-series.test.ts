import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createSeriesCutter, type Series } from './cut-series.ts';

function cut(parts: readonly string[]) {
  const series: Series[] = [];
  const cutter = createSeriesCutter((one) => void series.push(one));
  for (const part of parts) cutter.push(part);
  return { rest: cutter.end(), series };
}

/** A text in pieces that end at these places, wherever they are in it. */
function pieces(text: string, places: readonly number[]): readonly string[] {
  const ends = [...new Set(places.map((place) => place % text.length)), text.length].sort((a, b) => a - b);
  return ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end));
}

const answerOf = (result: readonly unknown[]) =>
  JSON.stringify({ status: 'success', data: { resultType: 'vector', result }, warnings: ['result:[]'] });

const word = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('"result":[', '{"metric":', ',"value":[', ']}', '\\', '"]},{"metric":{', ']},'),
);
const entry = fc.record({
  metric: fc.dictionary(word, word, { maxKeys: 4 }),
  value: fc.tuple(fc.double({ min: 1, max: 2e9, noNaN: true }), fc.constantFrom('1', '0', '12.5')),
});
const places = fc.array(fc.nat(), { maxLength: 40 });

it('finds what an answer says, whatever stands in its labels and wherever it is cut', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 6 }), places, (entries, cuts) => {
      const { rest, series } = cut(pieces(answerOf(entries), cuts));
      expect(JSON.parse(rest ?? '')).toEqual(JSON.parse(answerOf([])));
      expect(series.map(({ text, value }) => ({ metric: JSON.parse(text), value }))).toEqual(
        entries.map(({ metric, value }) => ({ metric: { ...metric }, value: Number(value[1]) })),
      );
    }),
    { numRuns: 500 },
  );
});

it('never takes a part of an answer for the whole', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 4 }), fc.nat(), places, (entries, length, cuts) => {
      const text = answerOf(entries);
      const { rest } = cut(pieces(text.slice(0, 1 + (length % (text.length - 1))), cuts));
      if (rest !== undefined) expect(() => JSON.parse(rest)).toThrow();
    }),
  );
});

it('reads a label of many megabytes that comes in small pieces in time that grows with it', () => {
  const text = answerOf([{ metric: { a: 'x'.repeat(20_000_000) }, value: [1, '1'] }]);
  const parts = Array.from({ length: Math.ceil(text.length / 4_096) }, (_, index) =>
    text.slice(index * 4_096, (index + 1) * 4_096),
  );
  expect(cut(parts).series).toHaveLength(1);
});
