import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ISO_TIME_BYTES, writeIsoTime } from './iso-time.ts';

it('writes a time as a date does, in any year of four digits', () => {
  const time = fc.date({
    min: new Date('0000-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  });
  const examples = [
    '1970-01-01T00:00:00.000Z',
    '1969-12-31T23:59:59.999Z',
    '2000-02-29T12:00:00.001Z',
    '1900-03-01T00:00:00.010Z',
    '2024-02-29T23:59:59.999Z',
    '2100-02-28T23:59:59.999Z',
  ].map((text): [Date] => [new Date(text)]);
  fc.assert(
    fc.property(time, (date) => {
      const bytes = Buffer.alloc(ISO_TIME_BYTES + 2, '.');
      writeIsoTime(bytes, 1, date.getTime());
      expect(bytes.toString()).toBe(`.${date.toISOString()}.`);
    }),
    { numRuns: 2_000, examples },
  );
});
