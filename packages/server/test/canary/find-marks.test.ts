import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMarkFinder } from './find-marks.ts';
import { makePeople } from './people.ts';

const people = makePeople(40);
const find = createMarkFinder(people);
const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16();

/** How code writes a text down; each of them is a leak. */
const WAYS: Readonly<Record<string, (text: string) => Uint8Array | string>> = {
  plain: (text) => text,
  'in capitals': (text) => text.toUpperCase(),
  'in a URL': (text) => encodeURIComponent(text),
  'percent-encoded as a whole': (text) => Buffer.from(text).toString('hex').replaceAll(/../g, '%$&'),
  'in JSON': (text) => JSON.stringify({ text }),
  base64: (text) => Buffer.from(text).toString('base64'),
  'base64 of capitals': (text) => Buffer.from(text.toUpperCase()).toString('base64'),
  base64url: (text) => Buffer.from(text).toString('base64url'),
  hex: (text) => Buffer.from(text).toString('hex'),
  'hex in capitals': (text) => Buffer.from(text).toString('hex').toUpperCase(),
  'UTF-16, little end first': (text) => Buffer.from(text, 'utf16le'),
  'UTF-16, big end first': utf16be,
  'cut off after half': (text) => text.slice(0, text.lastIndexOf('+')),
  'the bits themselves': (text) => Buffer.from(text.replaceAll(/[^0-9a-f]/g, '').slice(-32), 'hex'),
};

test.each(Object.entries(WAYS))(
  'a mark is found %s, whatever stands around it, and whose it is',
  (_, write) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: people.length - 1 }),
        fc.uint8Array({ maxLength: 40 }),
        fc.uint8Array({ maxLength: 40 }),
        fc.string({ unit: 'binary-ascii', maxLength: 5 }),
        (who, before, after, prefix) => {
          const { mark } = people[who] ?? { mark: '' };
          const bytes = Buffer.concat([before, Buffer.from(write(prefix + mark)), after]);
          const found = find(bytes);
          expect(new Set(found.map(({ person }) => person.number))).toEqual(new Set([who]));
        },
      ),
    );
  },
);

test('nothing is found where there is none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.nat({ max: people.length - 1 }), (bytes, who) => {
      // As much of a mark as says nothing.
      const some = Buffer.from((people[who]?.mark ?? '').slice(0, 8));
      expect(find(Buffer.concat([bytes, some, bytes]))).toEqual([]);
    }),
  );
});
