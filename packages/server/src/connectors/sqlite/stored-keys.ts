import type { KeySource, StoredColumn } from '../sql/index.ts';

/**
 * A value as a text that tells its storage class too, because a column may hold any: `i7`, `t7`, `r0.5`, `b0aff`; `xff` is a text by its bytes, which are
 * no Unicode.
 */
export function tagged(at: string): string {
  return `case typeof(${at}) when 'integer' then 'i' || ${at} else ${taggedOther(at)} end`;
}

/** The same in JSON, where whole numbers, which most keys are, stay what they are. */
export function taggedKey(at: string): string {
  return `case typeof(${at}) when 'integer' then ${at} else ${taggedOther(at)} end`;
}

function taggedOther(at: string): string {
  return `case typeof(${at}) when 'text' then iif(${isNoUnicode(at)}, 'x' || hex(cast(${at} as blob)), 't' || ${at})
    when 'real' then 'r' || printf('%!.17g', ${at}) when 'blob' then 'b' || hex(${at}) end`;
}

/** Such a text would come out with other characters, as somebody else's key may have them. Those of ASCII alone are not looked at further. */
function isNoUnicode(at: string): string {
  return `(${at} glob '*[^ -~]*' or instr(${at}, char(0))) and habeas_text(${at}) is not ${at} collate binary`;
}

/** The value of such a text. */
export function decoded(at: string): string {
  return `case substr(${at}, 1, 1) when 'i' then cast(substr(${at}, 2) as integer) when 't' then ${decodedText(at)}
    when 'r' then ${decodedReal(`substr(${at}, 2)`)} when 'b' then unhex(substr(${at}, 2)) when 'x' then cast(unhex(substr(${at}, 2)) as text) end`;
}

/** A cast knows no infinity, and would make zero of it. */
function decodedReal(text: string): string {
  return `case ${text} when 'Inf' then 9e999 when '-Inf' then -9e999 else cast(${text} as real) end`;
}

/** The text of `t…`. Of a text with a character U+0000 `substr` gives what stands before that, which may be somebody else's key; of bytes it gives all. */
export function decodedText(at: string): string {
  // A character has one byte, or two where the file is in UTF-16.
  return `cast(substr(cast(${at} as blob), 1 + length(cast('t' as blob))) as text)`;
}

/** Keys of one column as they were stored. Those of several are put together in one JSON array, an array for each key. */
export function keySource(
  columns: readonly StoredColumn[],
  arrays: readonly (readonly string[])[],
): KeySource {
  const [column] = columns;
  const [first = []] = arrays;
  const isPlain = first.every(hasNumbersOnly);
  const list = (name = '') =>
    `(select ${isPlain ? 'j.value' : readKey(column, 'j.value', 'j.type')}${name} from json_each($1) j)`;
  if (arrays.length === 1) return { source: list(` as ${column?.name}`), values: [joined(first)] };
  const values = columns.map(({ name }, at) => `j.value ->> ${at} as ${name}`);
  const selected = columns.map(
    (stored) => `${readKey(stored, stored.name, `typeof(${stored.name})`)} as ${stored.name}`,
  );
  return {
    // What has a limit is not taken apart, so that each value is looked for once.
    source: `(select ${selected.join(', ')} from (select ${values.join(', ')} from json_each($1) j limit -1))`,
    // Seldom needed, and as much work as all the rest.
    get values() {
      return [zipped(arrays)];
    },
    parts: arrays.map(joined),
    firsts: {
      // Looked for one after the other, they need not be sorted first.
      rows: (table, at) => `${list(' as first')} e cross join ${table} t on ${at} = e.first`,
      get values() {
        return [isPlain ? withoutRepeats(joined(first)) : joined(first)];
      },
    },
  };
}

/** Whole numbers need no decoding. */
function hasNumbersOnly(array: string): boolean {
  return !array.includes('"');
}

/** The numbers of an array without those that stand before as well: the lines of an order have its number. */
function withoutRepeats(array: string): string {
  return array.replace(/(?<![\d-])(-?\d+)(?:,\1(?!\d))+/g, '$1');
}

/** What is no value of a column, such as the hash of a row, is the text that it is. */
function readKey(stored: StoredColumn | undefined, at: string, type: string): string {
  return stored?.column === undefined ? at : decodedKey(at, type);
}

function decodedKey(at: string, type: string): string {
  return `case ${type} when 'integer' then ${at} else ${decoded(at)} end`;
}

/** Whether SQL reads it exactly: fractions are left to {@link boundKey}. */
export function isListed(key: StoredKey): boolean {
  return typeof key !== 'string' || key.startsWith('t') || isBytesOfText(key);
}

function isBytesOfText(key: StoredKey): boolean {
  return typeof key === 'string' && key.startsWith('x');
}

/** What stands in a statement for a value that is bound to it. */
export function parameterOf(key: StoredKey): string {
  return isBytesOfText(key) ? 'cast(? as text)' : '?';
}

/** What stands behind `in` for values of which {@link jsonOf} is the parameter `?`. */
export function listOfKeys(keys: readonly StoredKey[]): string {
  const isPlain = keys.every((key) => typeof key !== 'string');
  return `(select ${isPlain ? 'j.value' : decodedKey('j.value', 'j.type')} from json_each(?) j)`;
}

/** Arrays that follow each other as one. */
function joined(arrays: readonly string[]): string {
  return `[${arrays
    .map((array) => array.slice(1, -1))
    .filter((array) => array !== '')
    .join(',')}]`;
}

/** `[1,2]` and `["ta","tb"]` as `[[1,"ta"],[2,"tb"]]`. */
function zipped(arrays: readonly (readonly string[])[]): string {
  const columns = arrays.map((texts) => parseKeys(joined(texts)));
  const [first = []] = columns;
  return `[${first.map((_, row) => jsonOf(columns.map((column) => column[row] ?? null))).join(',')}]`;
}

/** The opposite of {@link parseKeys}. */
export function jsonOf(keys: readonly StoredKey[]): string {
  return `[${keys.map((value) => (typeof value === 'string' ? JSON.stringify(value) : `${value}`)).join(',')}]`;
}

export type StoredKey = string | number | bigint | null;

/** The elements of a stored array, whole numbers of any size as they are. */
export function parseKeys(array: string): readonly StoredKey[] {
  // A number of JavaScript is exact up to 2^53, which has 16 digits.
  if (!/\d{16}/.test(array)) return JSON.parse(array);
  const exactly = (_: string, value: unknown, context?: { readonly source: string }) =>
    typeof value === 'number' ? BigInt(context?.source ?? value) : value;
  return JSON.parse(array, exactly);
}

/** The value that a stored element stands for, as it is bound to a statement where {@link parameterOf} stands. */
export function boundKey(value: StoredKey): string | number | bigint | Uint8Array | null {
  // A number is bound as one with a fraction of zero, which SQLite takes for the whole number that it is.
  if (typeof value !== 'string') return value;
  const text = value.slice(1);
  switch (value[0]) {
    case 'i':
      return BigInt(text);
    case 'r':
      return Number(text.replace('Inf', 'Infinity'));
    case 'b':
    case 'x':
      return Buffer.from(text, 'hex');
    default:
      return text;
  }
}

/** Keys that differ in their first part alone, or in that and in their last one, which then is each whole number from `from` to `to`. */
export interface KeyGroup {
  readonly firsts: StoredKey[];
  readonly middle: readonly StoredKey[];
  readonly from: StoredKey;
  readonly to: StoredKey;
}

/** For each part of a key its values, as groups that have every key in one of them. Undefined: there would be more than `most`. */
export function groupsOf(
  parts: readonly (readonly StoredKey[])[],
  most: number,
): readonly KeyGroup[] | undefined {
  const [firsts = []] = parts;
  const others = parts.slice(1, -1);
  const lasts = parts.at(-1) ?? [];
  const groups = new Map<string, KeyGroup>();
  let group: KeyGroup | undefined;
  for (let row = 0; row < firsts.length; ) {
    const end = endOfRun(parts, row);
    const [first = null, from = null, to = null] = [firsts[row], lasts[row], lasts[end]];
    // Most orders have as many lines as the one before.
    const isSame =
      group?.from === from &&
      group.to === to &&
      others.every((values, at) => values[row] === group?.middle[at]);
    if (!isSame)
      group = groupNamed(groups, { from, to, middle: others.map((values) => values[row] ?? null) });
    if (groups.size > most) return undefined;
    group?.firsts.push(first);
    row = end + 1;
  }
  return [...groups.values()];
}

function groupNamed(groups: Map<string, KeyGroup>, of: Omit<KeyGroup, 'firsts'>): KeyGroup {
  const name = jsonOf([of.from, of.to, ...of.middle]);
  const group = groups.get(name) ?? { ...of, firsts: [] };
  groups.set(name, group);
  return group;
}

/** The last of the keys that follow the one in this row and differ in their last part alone, by one from each to the next. */
export function endOfRun(parts: readonly (readonly StoredKey[])[], row: number): number {
  const lasts = parts[parts.length - 1] ?? [];
  const first = lasts[row];
  let end = row;
  if (typeof first === 'number')
    while (lasts[end + 1] === first + (end + 1 - row) && haveSameStart(parts, row, end + 1)) end += 1;
  else if (typeof first === 'bigint')
    while (lasts[end + 1] === first + BigInt(end + 1 - row) && haveSameStart(parts, row, end + 1)) end += 1;
  return end;
}

function haveSameStart(parts: readonly (readonly StoredKey[])[], row: number, other: number): boolean {
  for (let part = 0; part < parts.length - 1; part += 1)
    if (parts[part]?.[row] !== parts[part]?.[other]) return false;
  return true;
}
