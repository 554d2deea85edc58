import type { LiveColumn } from './live-table.ts';
import { quoteIdentifier } from './quote.ts';
import type { InsideMask, MaskSql } from './sql-dialect.ts';

/** How a store reads JSON that lies in a column as text. Paths are its literals. */
export interface TextJson {
  readonly literal: (text: string) => string;
  /** `array`, `object` or another type in small letters; null where nothing lies at the path. */
  readonly type: (json: string, path: string) => string;
  /** A text as it is without quotes, compared letter by letter. */
  readonly isText: (json: string, path: string, text: string) => string;
}

/**
 * Values inside JSON that a column has as text, with the functions that MariaDB and SQLite have in common. As in a column of jsonb, an array on
 * the way goes as a whole, and so does what is no object. So does an object in which a name on the way stands twice: only one of the two could
 * be reached.
 */
export function maskInsideText(column: LiveColumn, values: readonly InsideMask[], store: TextJson): MaskSql {
  const name = quoteIdentifier(column.name);
  const own = `t.${name}`;
  const isReachable = values.every(({ path }) => path.every((part) => !/["\\*]/.test(part)));
  const masked = isReachable ? values.reduce((json, value) => changed(json, own, value, store), own) : `'{}'`;
  const plain = (at: string) => [isObject(at, store), ...values.map(({ path }) => isSingle(at, path, store))];
  const states = (at: string, then: string, otherwise: string, without: string) =>
    `(case when ${at} is null then ${without} when not json_valid(${at}) then ${otherwise} when ${plain(at).join(' and ')} then ${then} else ${otherwise} end)`;
  return {
    value: isReachable
      ? states(own, masked, `'{}'`, 'null')
      : `(case when ${own} is null then null else '{}' end)`,
    isMasked(alias) {
      const at = `${alias}.${name}`;
      if (!isReachable) return `coalesce(${at} = '{}', true)`;
      const gone = values.map((value) => isGone(at, value, store)).join(' and ');
      return states(at, `(${gone})`, 'false', 'true');
    },
  };
}

const isObject = (at: string, { type, literal }: TextJson) => `${type(at, literal('$'))} = 'object'`;

/** Whether no name of the path stands twice in its object: of two, taking one out would leave the other. */
function isSingle(at: string, path: readonly string[], store: TextJson): string {
  const names = [...beforePath(path), path].map((part) => pathOf(part, store));
  return names.map((one) => `${store.type(`json_remove(${at}, ${one})`, one)} is null`).join(' and ');
}

function changed(json: string, own: string, { path, to }: InsideMask, store: TextJson): string {
  const arrays = beforePath(path).map((before) => pathOf(before, store));
  const cases = arrays.map((one) => `when ${store.type(own, one)} = 'array' then ${one}`);
  const all = pathOf(path, store);
  const reached = cases.length === 0 ? all : `case ${cases.join(' ')} else ${all} end`;
  return to === null
    ? `json_remove(${json}, ${reached})`
    : `json_replace(${json}, ${reached}, ${store.literal(to)})`;
}

function isGone(at: string, { path, to }: InsideMask, store: TextJson): string {
  const arrays = beforePath(path).map(
    (before) => `coalesce(${store.type(at, pathOf(before, store))} <> 'array', true)`,
  );
  const all = pathOf(path, store);
  const isNothing = `${store.type(at, all)} is null`;
  const value = to === null ? isNothing : `(${isNothing} or coalesce(${store.isText(at, all, to)}, true))`;
  return [...arrays, value].join(' and ');
}

const beforePath = (path: readonly string[]) => path.slice(1).map((_, index) => path.slice(0, index + 1));

function pathOf(path: readonly string[], { literal }: TextJson): string {
  return literal(['$', ...path.map((name) => `"${name}"`)].join('.'));
}
