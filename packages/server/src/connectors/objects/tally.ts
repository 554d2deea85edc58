/** Something that stays for a time. */
export interface Stays {
  readonly count: number;
  /** RFC 3339; null: nobody knows. */
  readonly until: string | null;
}

/** What became of a person's rows or objects of one collection. */
export interface Tally {
  /** Erased or masked: in a dry run, what would be. */
  done: number;
  /** In versions that are locked. */
  locked: Stays;
  /** In older versions that are left to end by themselves. */
  left: Stays;
  /** Versions in an archive, in which nobody could look. */
  archived: number;
  /** What was begun to be written to such objects, and is left to whoever writes it. */
  uploads: Stays;
}

const NOTHING: Stays = { count: 0, until: null };

export function newTally(): Tally {
  return { done: 0, locked: NOTHING, left: NOTHING, archived: 0, uploads: NOTHING };
}

/** Whether anything of the person was found. */
export function isFound({ done, locked, left }: Tally): boolean {
  return done + locked.count + left.count > 0;
}

/** Adds what became of one object. */
export function addTally(
  tally: Tally,
  { done, locked, left }: Pick<Tally, 'done' | 'locked' | 'left'>,
): void {
  tally.done += done;
  tally.locked = alsoStays(tally.locked, locked);
  tally.left = alsoStays(tally.left, left);
}

/** Both together: until the later of both, and an unknown end is later than any. */
export function alsoStays(one: Stays, other: Stays): Stays {
  if (one.count === 0) return other;
  if (other.count === 0) return one;
  const ends = [one.until, other.until].filter((until) => until !== null).sort();
  const until = ends.length < 2 ? null : (ends[1] ?? null);
  return { count: one.count + other.count, until };
}

const DAY_MILLISECONDS = 86_400_000;

/** The end of a rule that counts days: stores act at the next midnight, UTC. */
export function endsAfter(since: Date, days: number | undefined): string | null {
  if (days === undefined) return null;
  const end = (Math.floor(since.getTime() / DAY_MILLISECONDS) + 1 + days) * DAY_MILLISECONDS;
  return new Date(end).toISOString();
}
