/** Texts and identifiers in quotes, or a temporary table of the search where it is read or written, not where one of its columns is named. */
const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\bhabeas_(?:found|keys)_[0-9a-f]+\b(?!\.)/g;

/**
 * A statement as MySQL can run it, which opens a temporary table once in a statement: where it stands again, a copy stands instead. `copies` are the
 * statements that make the copies, of what the table has before the statement runs.
 *
 *     insert into habeas_found_7 … select … from habeas_found_7 p      the copy: habeas_found_7_2
 */
export function singleReads(text: string): { readonly copies: readonly string[]; readonly text: string } {
  const seen = new Map<string, number>();
  const copies: string[] = [];
  const single = text.replace(TOKEN, (token) => {
    if (token.startsWith("'") || token.startsWith('"')) return token;
    const times = (seen.get(token) ?? 0) + 1;
    seen.set(token, times);
    if (times === 1) return token;
    const copy = `${token}_${times}`;
    copies.push(
      `drop temporary table if exists ${copy}`,
      `create temporary table ${copy} like ${token}`,
      `insert into ${copy} select * from ${token}`,
    );
    return copy;
  });
  return { copies, text: single };
}
