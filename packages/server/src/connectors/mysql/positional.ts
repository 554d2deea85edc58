/** Texts and identifiers in quotes, or a parameter. */
const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\d+)/g;

/** `$1` as the server wants it: a question mark for each place, and the value of each. */
export function positional(
  text: string,
  values: readonly unknown[],
): { readonly sql: string; readonly values: (string | number | null)[] } {
  const given: (string | number | null)[] = [];
  const sql = text.replace(TOKEN, (token: string, number: string | undefined) => {
    if (number === undefined) return token;
    const value = values[Number(number) - 1];
    given.push(value === null || value === undefined ? null : `${value}`);
    return '?';
  });
  return { sql, values: given };
}
