/** What a person, or their browser, said at a moment about some purposes. A purpose is a bit. */
export interface Statement {
  /** When it was said, in milliseconds since 1970; not when it arrived. */
  readonly at: number;
  /** Unique within the organization; orders what was said in one millisecond. */
  readonly eventId: string;
  /** The purposes that it is about. */
  readonly mask: bigint;
  /** Those of them that are granted. */
  readonly value: bigint;
  /** Said by Global Privacy Control: a setting of the browser, which repeats itself with each page. */
  readonly automatic: boolean;
  /** Said by a browser before the person signed in. */
  readonly inherited: boolean;
}

/**
 * What counts of what was said before somebody signed in: for each purpose the latest of all (`latest`), or that only where they chose nothing
 * as themselves (`own_first`). Global Privacy Control is no choice as themselves: what they chose after it, signed in or not, goes before it.
 */
export type MergeRule = 'latest' | 'own_first';

/** What is known of a person: purposes that they said something about, and those of them that they agreed to. */
export interface Signature {
  readonly known: bigint;
  readonly granted: bigint;
}

/** How long an agreement to these purposes counts. A refusal counts for ever. */
export interface Validity {
  readonly mask: bigint;
  readonly milliseconds: number;
}

export interface FoldOptions {
  /** (Default: latest) */
  readonly rule?: MergeRule | undefined;
  /** (Default: every agreement counts for ever) */
  readonly validities?: readonly Validity[] | undefined;
  /** At which moment; needed with validities. In milliseconds since 1970. */
  readonly now?: number | undefined;
}

/** A signature that is so until a moment. */
export interface Folded extends Signature {
  /** When the first agreement of it expires, in milliseconds since 1970; undefined: none does. */
  readonly expiresAt?: number | undefined;
}

export const NOTHING_SAID: Signature = { known: 0n, granted: 0n };

/** The order in which statements count. */
function earlierFirst(one: Statement, other: Statement): number {
  if (one.at !== other.at) return one.at - other.at;
  return one.eventId < other.eventId ? -1 : Number(one.eventId > other.eventId);
}

/**
 * The signature that statements come to, whatever the order in which they arrived and however often: for each purpose the latest counts.
 * Of what a browser repeats with each page only the first time counts (W3C Global Privacy Control §3.3: a later explicit choice may
 * override it), or else a choice would be undone by the next page.
 */
export function fold(
  statements: readonly Statement[],
  { rule = 'latest', validities = [], now = 0 }: FoldOptions = {},
): Folded {
  let { known, granted } = NOTHING_SAID;
  let repeated = 0n;
  const seen = new Set<string>();
  const limited = validities.reduce((all, { mask }) => all | mask, 0n);
  /** One purpose → when it was agreed to. */
  const agreedAt = new Map<bigint, number>();
  const chosen = rule === 'latest' ? 0n : chosenAsThemselves(statements);
  for (const { eventId, at, mask, value, automatic, inherited } of statements.toSorted(earlierFirst)) {
    if (seen.has(eventId)) continue;
    seen.add(eventId);
    const counts = mask & ~(automatic ? repeated : 0n) & ~(inherited ? chosen : 0n);
    if (automatic) repeated |= mask;
    known |= counts;
    granted = (granted & ~counts) | (value & counts);
    for (const bit of bitsOf(value & counts & limited)) agreedAt.set(bit, at);
  }
  let expiresAt: number | undefined;
  for (const { mask, milliseconds } of validities) {
    for (const bit of bitsOf(granted & mask)) {
      const end = (agreedAt.get(bit) ?? 0) + milliseconds;
      if (end > now) {
        expiresAt = Math.min(end, expiresAt ?? end);
        continue;
      }
      known &= ~bit;
      granted &= ~bit;
    }
  }
  return { known, granted, expiresAt };
}

/** The purposes about which somebody chose while they were signed in. */
function chosenAsThemselves(statements: readonly Statement[]): bigint {
  return statements.reduce(
    (all, { mask, automatic, inherited }) => (automatic || inherited ? all : all | mask),
    0n,
  );
}

/** The statement that {@link fold} takes for what was said about one purpose, which is a word of one bit; undefined: nothing was. */
export function lastAbout(
  purpose: bigint,
  statements: readonly Statement[],
  rule: MergeRule,
): Statement | undefined {
  const about = statements.filter(({ mask }) => (mask & purpose) !== 0n).toSorted(earlierFirst);
  const automatic = about.find((one) => one.automatic);
  const isDropped = rule === 'own_first' && (chosenAsThemselves(about) & purpose) !== 0n;
  return about.findLast((one) => (!one.automatic || one === automatic) && !(one.inherited && isDropped));
}

/** Each of its bits by itself. */
function* bitsOf(word: bigint): Generator<bigint> {
  for (let rest = word; rest !== 0n; rest &= rest - 1n) yield rest & -rest;
}

/** Whether something that it agrees to has expired. */
export function hasExpired(
  { at, value }: Pick<Statement, 'at' | 'value'>,
  { validities = [], now = 0 }: FoldOptions,
): boolean {
  return validities.some(({ mask, milliseconds }) => (value & mask) !== 0n && at + milliseconds <= now);
}
