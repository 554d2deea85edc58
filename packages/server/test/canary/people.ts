import { createHash } from 'node:crypto';

/** A person whose mark stands in every place that has something of theirs, and nowhere else. */
export interface MarkedPerson {
  readonly number: number;
  /** 128 bits in hexadecimal, in two halves with a `+` between them, which addresses and queries write in another way. */
  readonly mark: string;
  readonly halves: readonly [string, string];
  readonly email: string;
  /** Tells nothing but the mark. */
  readonly userId: string;
  /** The bits themselves. */
  readonly uuid: string;
}

/** The same people each time, so that what was found once is found again. */
export function makePeople(count: number, seed = 'canary'): readonly MarkedPerson[] {
  return Array.from({ length: count }, (_, number) => {
    const bits = createHash('sha256').update(`${seed} ${number}`).digest('hex').slice(0, 32);
    const halves = [bits.slice(0, 16), bits.slice(16)] as const;
    const mark = halves.join('+');
    return {
      number,
      mark,
      halves,
      email: `${mark}@canary.example`,
      userId: `u-${mark}`,
      uuid: bits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    };
  });
}
