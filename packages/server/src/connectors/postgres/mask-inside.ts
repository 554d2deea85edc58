import { type InsideMask, type LiveColumn, type MaskSql, quoteIdentifier } from '../sql/index.ts';
import { quoteLiteral } from './quote-literal.ts';

/**
 * Values inside a column of `jsonb`. An array on the way goes as a whole, because a path names no element of it, and so does what is no
 * object at all.
 *
 *     {"name": "Ann", "theme": "dark"}              name        {"theme": "dark"}
 *     {"phones": [{"number": 1}], "theme": "dark"}  phones.number  {"theme": "dark"}
 */
export function maskInside(column: LiveColumn, values: readonly InsideMask[]): MaskSql | undefined {
  if (column.baseType !== 'jsonb') return undefined;
  const name = quoteIdentifier(column.name);
  const own = `t.${name}`;
  const masked = values.reduce((value, { path, to }) => {
    const reached = reachedPath(own, path);
    return to === null
      ? `(${value} #- ${reached})`
      : `jsonb_set(${value}, ${reached}, to_jsonb(${quoteLiteral(to)}::text), false)`;
  }, own);
  return {
    value: `case when jsonb_typeof(${own}) = 'object' then ${masked} else '{}'::jsonb end`,
    isMasked: (alias) => {
      const at = `${alias}.${name}`;
      const gone = values.map((value) => isGone(at, value));
      return `coalesce(jsonb_typeof(${at}) = 'object' and ${gone.join(' and ')}, true)`;
    },
  };
}

/** The path as far as an array does not stand in its way. */
function reachedPath(at: string, path: readonly string[]): string {
  const arrays = beforePath(path).map(
    (before) => `when jsonb_typeof(${at} #> ${before}) = 'array' then ${before}`,
  );
  return arrays.length === 0 ? arrayOf(path) : `case ${arrays.join(' ')} else ${arrayOf(path)} end`;
}

function isGone(at: string, { path, to }: InsideMask): string {
  const arrays = beforePath(path).map(
    (before) => `coalesce(jsonb_typeof(${at} #> ${before}) <> 'array', true)`,
  );
  const value =
    to === null
      ? `${at} #> ${arrayOf(path)} is null`
      : `coalesce(${at} #>> ${arrayOf(path)} = ${quoteLiteral(to)}, true)`;
  return [...arrays, value].join(' and ');
}

function beforePath(path: readonly string[]): readonly string[] {
  return path.slice(1).map((_, index) => arrayOf(path.slice(0, index + 1)));
}

function arrayOf(path: readonly string[]): string {
  return `array[${path.map(quoteLiteral).join(', ')}]::text[]`;
}
