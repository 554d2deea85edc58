import { createHash } from 'node:crypto';

/** After this time it is looked again, whatever is known. */
const FORGOTTEN_MILLISECONDS = 3_600_000;
/** About 50 bytes each. */
const MOST_ENTRIES = 400_000;

interface Person {
  /** Contents in which this person has nothing: those of each pass that they were in, and their own. */
  readonly clean: Set<string>[];
  seenAt: number;
}

/** What one pass knows from those before it, and tells those after it. */
export interface CleanPass {
  /** Whether nobody of the pass has anything in this content. */
  isClean(mark: string): boolean;
  /** `found`: who of the pass has something in it. */
  note(mark: string, found: { has(who: number): boolean; readonly size: number }): void;
}

/**
 * Remembers which contents have nothing of whom, so that a content that did not change between the steps of a request is read once:
 *
 *     locate   a b c d     (read: a b c d, found in: b)
 *     erase      b         (read and written: b')
 *     verify   a b' c d    (read: b')
 *     confirm  a b' c d    (read: none)
 *
 * A content in which something was found is read each time. It is in memory alone, holds hashes, and is forgotten after an hour.
 */
export class KnownClean {
  readonly #people = new Map<string, Person>();
  #entries = 0;

  /** `sought`: of each person what is looked for and where, as a text that is hashed. */
  begin(sought: readonly string[], now: Date): CleanPass {
    this.#forget(now.getTime());
    const together = new Set<string>();
    const people = sought.map((text) => this.#person(hashOf([text]), now.getTime()));
    for (const person of people) person.clean.push(together);
    const own = new Map<number, Set<string>>();
    const add = (set: Set<string>, mark: string) => {
      if (this.#entries >= MOST_ENTRIES) return;
      set.add(mark);
      this.#entries += 1;
    };
    return {
      isClean: (mark) => people.every(({ clean }) => clean.some((set) => set.has(mark))),
      note(mark, found) {
        if (found.size === 0) add(together, mark);
        else
          for (const [who, person] of people.entries()) {
            if (found.has(who)) continue;
            const set = own.get(who) ?? new Set<string>();
            if (!own.has(who)) person.clean.push(set);
            own.set(who, set);
            add(set, mark);
          }
      },
    };
  }

  #person(digest: string, now: number): Person {
    const known = this.#people.get(digest) ?? { clean: [], seenAt: now };
    known.seenAt = now;
    this.#people.set(digest, known);
    return known;
  }

  #forget(now: number): void {
    for (const [digest, { seenAt }] of this.#people)
      if (now - seenAt > FORGOTTEN_MILLISECONDS) this.#people.delete(digest);
    const sets = new Set([...this.#people.values()].flatMap(({ clean }) => clean));
    this.#entries = [...sets].reduce((sum, { size }) => sum + size, 0);
  }
}

/** Names a content by what the store says of it. */
export function cleanMark(parts: readonly (string | number)[]): string {
  return hashOf(parts).slice(0, 16);
}

function hashOf(parts: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}
