import type { MarkedPerson } from './people.ts';

/** A half of somebody's mark in one of the forms in which code passes text on. */
interface Needle {
  readonly bytes: Buffer;
  readonly form: Form;
  readonly person: MarkedPerson;
}

export type Form = 'plain' | 'upper case' | 'UTF-16' | 'hex' | 'base64' | 'bytes' | 'percent-encoded';

export interface FoundMark {
  readonly person: MarkedPerson;
  readonly form: Form;
  /** In bytes. */
  readonly offset: number;
}

/** Finds marks in bytes, all people's in one pass. Half of a mark is a mark: a value that was cut off, or whose `+` was written as `%2B`, is found too. */
export function createMarkFinder(
  people: readonly MarkedPerson[],
): (bytes: Uint8Array) => readonly FoundMark[] {
  const needles = people.flatMap(needlesOf);
  const byStart = Map.groupBy(needles, ({ bytes }) => bytes.readInt32LE(0));
  const filter = new Uint8Array(FILTER_SIZE);
  for (const start of byStart.keys()) filter[slotOf(start)] = 1;
  return (bytes) => {
    const found: FoundMark[] = [];
    const within = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // The four bytes from `offset` on, as one number.
    let start = 0;
    for (let end = 0; end < bytes.length; end += 1) {
      start = (start >>> 8) | ((bytes[end] ?? 0) << 24);
      if (filter[slotOf(start)] === 0) continue;
      const offset = end - 3;
      for (const { bytes: needle, form, person } of byStart.get(start | 0) ?? [])
        if (within.subarray(offset, offset + needle.length).equals(needle))
          found.push({ person, form, offset });
    }
    return found;
  };
}

const FILTER_BITS = 20;
const FILTER_SIZE = 1 << FILTER_BITS;

function slotOf(start: number): number {
  // Multiplication by the golden ratio spreads the numbers (Knuth, The Art of Computer Programming, 6.4).
  return Math.imul(start, 0x9e3779b1) >>> (32 - FILTER_BITS);
}

function needlesOf(person: MarkedPerson): readonly Needle[] {
  return person.halves.flatMap((half) => {
    const texts = [half, half.toUpperCase()];
    const hex = texts.map((text) => Buffer.from(text).toString('hex'));
    const forms: readonly (readonly [Form, Buffer])[] = [
      ['plain', Buffer.from(half)],
      ['upper case', Buffer.from(half.toUpperCase())],
      ...texts.map((text) => ['UTF-16', Buffer.from(text, 'utf16le').subarray(0, -1)] as const),
      // The hexadecimal digits of the letters' bytes.
      ...[...hex, ...hex.map((text) => text.toUpperCase())].map(
        (text) => ['hex', Buffer.from(text)] as const,
      ),
      ...texts.flatMap((text) => ALIGNMENTS.map((before) => ['base64', base64Within(text, before)] as const)),
      ...texts.map((text) => ['percent-encoded', Buffer.from(percentEncoded(text))] as const),
      ['bytes', Buffer.from(half, 'hex')],
    ];
    // A half without letters has no upper case of its own.
    const once = new Map(forms.map(([form, bytes]) => [bytes.toString('latin1'), { form, bytes, person }]));
    return [...once.values()];
  });
}

const ALIGNMENTS = [0, 1, 2] as const;

/** What of the base64 of a text is the same whatever stands around it, if so many bytes more than a multiple of three stand before it. */
function base64Within(text: string, before: (typeof ALIGNMENTS)[number]): Buffer {
  const bits = (before + text.length) * 8;
  const encoded = Buffer.from('\0'.repeat(before) + text).toString('base64');
  return Buffer.from(encoded.slice(Math.ceil((before * 8) / 6), Math.floor(bits / 6)));
}

function percentEncoded(text: string): string {
  return Buffer.from(text).toString('hex').replaceAll(/../g, '%$&');
}
