import type { Comparison, LiveColumn, LiveElement } from '../sql/index.ts';
import { quoteLiteral } from './quote-literal.ts';

/** Numbers as they are written without zeros that say nothing. `-0` is none. */
const NUMBER = /^(0|-?[1-9]\d*|-?(0|[1-9]\d*)\.\d*[1-9])$/;
/** PostgreSQL has 16,383 digits behind the point and more before it. */
const LONGEST_NUMBER = 16_000;

/** A text as a `jsonb` gives it. */
const TEXT: LiveColumn = {
  name: 'v',
  type: 'text',
  baseType: 'text',
  category: 'S',
  notNull: false,
  length: null,
  generated: 'no',
};

/**
 * The values at a path inside a column of `jsonb`. A path in lax mode looks through a list wherever a member is asked of it.
 *
 *     {"phones": [{"number": 1}, {"number": ["2", "3"]}]}   lax $."phones"."number"[*]   1, "2", "3"
 */
export function insideJsonb({ baseType }: LiveColumn, path: readonly string[]): LiveElement | undefined {
  if (baseType !== 'jsonb') return undefined;
  const way = ['lax $', ...path.map((name) => JSON.stringify(name))].join('.').concat('[*]');
  const text = `case jsonb_typeof(j) when 'number' then trim_scale((j #>> '{}')::numeric)::text else j #>> '{}' end`;
  return {
    column: TEXT,
    rows: (at, alias) =>
      `lateral (select ${text} as v from jsonb_path_query(${at}, ${quoteLiteral(way)}) j
         where jsonb_typeof(j) in ('string', 'number', 'boolean')) ${alias}`,
    value: (alias) => `${alias}.v`,
    hasten: ({ values, match, spelled }) =>
      match === 'exact' && spelled === undefined ? compareByPath(way, values) : undefined,
  };
}

/** By the operator that an index of the kind `gin` on the column helps. The values are in the parameter, written as JSON. */
function compareByPath(way: string, values: readonly string[]): Comparison {
  const written = values.flatMap(asJson);
  if (written.length === 0) return { sql: () => 'false', values: [] };
  const path = `${way} ? (${written.map((one) => `@ == ${one}`).join(' || ')})`;
  return { sql: (at) => `${at} @? $1::jsonpath`, values: [path] };
}

/** What in JSON is this text: a text, a number, a boolean. No `jsonb` has NUL or half a character in it. */
function asJson(value: string): readonly string[] {
  if (value.includes('\0') || !value.isWellFormed()) return [];
  const isBare =
    value === 'true' || value === 'false' || (NUMBER.test(value) && value.length <= LONGEST_NUMBER);
  return isBare ? [JSON.stringify(value), value] : [JSON.stringify(value)];
}
