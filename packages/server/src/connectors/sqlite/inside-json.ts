import {
  type Comparison,
  type LiveColumn,
  type LiveElement,
  needlesOf,
  type SoughtValues,
} from '../sql/index.ts';
import { affinityOf } from './affinity.ts';

/** A text as `json_each` gives it. */
const TEXT: LiveColumn = {
  name: 'value',
  type: 'text',
  baseType: 'text',
  category: 'S',
  notNull: false,
  length: null,
  generated: 'no',
};

/** A text of this length is not nested deeper than can be read. */
const MOST_SHALLOW = 1_000;

/** The values at a path inside a column with JSON, as a text or in SQLite's own bytes. SQLite's functions would round long numbers. */
export function insideJson({ type }: LiveColumn, path: readonly string[]): LiveElement | undefined {
  const affinity = affinityOf(type);
  if (affinity === 'integer' || affinity === 'real') return undefined;
  const names = JSON.stringify(path).replaceAll("'", "''");
  const values = (at: string) =>
    `habeas_inside(case typeof(${at}) when 'blob' then case when json_valid(${at}, 8) then json(${at}) else '' end else ${at} end, '${names}')`;
  return {
    column: TEXT,
    rows: (at, alias) => `json_each(${values(at)}) ${alias}`,
    value: (alias) => `${alias}.value`,
    hasten: passOver,
    // What is nested too deep to be read is long.
    isUnreadable: (at) =>
      `(${at} is not null and (not (case typeof(${at}) when 'blob' then json_valid(${at}, 8) else json_valid(${at}) end) or (length(${at}) > ${MOST_SHALLOW} and ${values(at)} is null)))`,
  };
}

/** Reads a text as JSON only where one of the values stands in it, or a backslash, behind which it may be written in another way. */
function passOver(sought: SoughtValues, usual: Comparison): Comparison | undefined {
  const needles = needlesOf(sought);
  if (needles === undefined) return undefined;
  const parameter = `$${usual.values.length + 1}`;
  const folded = (at: string) => (sought.match === 'exact' ? at : `habeas_fold(${at})`);
  return {
    values: [...usual.values, JSON.stringify(['\\', ...needles])],
    sql: (at) =>
      `((typeof(${at}) = 'blob' or habeas_has_one(${folded(at)}, ${parameter})) and ${usual.sql(at)})`,
  };
}
