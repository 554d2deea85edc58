import { joinedKeys, type KeySource, type StoredColumn } from '../sql/index.ts';

/** A value as a text that tells its storage class too, because a column may hold any: `i7`, `t7`, `r0.5`, `b0aff`. */
export function tagged(at: string): string {
  return `case typeof(${at}) when 'integer' then 'i' || ${at} when 'text' then 't' || ${at}
    when 'real' then 'r' || printf('%!.17g', ${at}) when 'blob' then 'b' || hex(${at}) end`;
}

/** The value of such a text. */
export function decoded(at: string): string {
  return `case substr(${at}, 1, 1) when 'i' then cast(substr(${at}, 2) as integer) when 't' then substr(${at}, 2)
    when 'r' then cast(substr(${at}, 2) as real) when 'b' then unhex(substr(${at}, 2)) end`;
}

/** All keys as one JSON array, an array for each. */
export function keySource(
  columns: readonly StoredColumn[],
  arrays: readonly (readonly string[])[],
): KeySource {
  const selected = columns.map(({ name, column }, at) => {
    const value = `json_extract(j.value, '$[${at}]')`;
    return `${column === undefined ? value : decoded(value)} as ${name}`;
  });
  return {
    source: `(select ${selected.join(', ')} from json_each($1) j)`,
    values: [joinedKeys(arrays)],
    array: undefined,
  };
}
