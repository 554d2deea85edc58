/** A comparison of a value with given identity values. */
export interface Comparison {
  readonly sql: (at: string) => string;
  /** Its parameters, from `$1` on. */
  readonly values: readonly unknown[];
}

/** An expression of a text that is the same for all texts that name the same. */
export type SpelledSql = (text: string) => string;

export interface SoughtValues {
  readonly values: readonly string[];
  readonly match: 'exact' | 'case-insensitive';
  /** What of a text counts, in columns with texts; goes before `match`. */
  readonly spelled?: SpelledSql | undefined;
}

/**
 * Texts of which a text of JSON has one in it, or a backslash, if it holds one of the values; in small letters, to be looked for in one in small
 * letters, where case does not matter. Undefined: nothing can be said before it is read.
 */
export function needlesOf({ values, match, spelled }: SoughtValues): readonly string[] | undefined {
  if (spelled !== undefined) return undefined;
  const isFolded = match === 'case-insensitive';
  // Other letters are not folded everywhere alike.
  if (isFolded && !values.every((value) => /^[\x20-\x7e]*$/.test(value))) return undefined;
  const bare = values.filter((value) => JSON.stringify(value) === `"${value}"`);
  return isFolded ? bare.map((value) => value.toLowerCase()) : bare;
}
