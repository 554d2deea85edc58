/** What people put between the digits of a telephone number (E.123), and the trunk zero that is not dialled from abroad. */
const BETWEEN = ['(0)', ' ', '-', '.', '/', '(', ')'];

/** A telephone number without what stands between its digits, and with `+` instead of 00; undefined: it has no digits. */
export function telephoneOf(text: string): string | undefined {
  const dense = BETWEEN.reduce((left, one) => left.replaceAll(one, ''), text);
  return /\d/.test(dense) ? dense.replace(/^00/, '+') : undefined;
}

/** The same in SQL as all stores understand it; `text` is an expression. */
export function telephoneSql(text: string): string {
  const dense = BETWEEN.reduce((of, one) => `replace(${of}, '${one}', '')`, text);
  return `(case when ${dense} like '00%' then '+' || substr(${dense}, 3) else ${dense} end)`;
}
