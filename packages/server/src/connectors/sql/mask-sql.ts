import type { Keep, Mask, Target } from '../../catalog/index.ts';
import type { CompiledMask } from './compiled.ts';
import type { LiveColumn } from './live-table.ts';
import { quoteIdentifier } from './quote.ts';
import type { SqlDialect } from './sql-dialect.ts';

/** `erased-` and 20 hexadecimal digits. */
const HASH_LENGTH = 27;
const EMAIL_SUFFIX = '@erased.invalid';

/** The mask of a column in SQL, or a sentence that says why it cannot be masked so. */
export function compileMask(dialect: SqlDialect, target: Target, column: LiveColumn): CompiledMask | string {
  const mask = target.mask ?? defaultMask(column);
  if (mask === undefined) {
    return `has the type ${column.type} and may not be empty: say what replaces it, with \`mask: { strategy: fixed, value: … }\``;
  }
  const name = quoteIdentifier(column.name);
  const at = (alias: string) => `${alias}.${name}`;
  const base = {
    column,
    literal: undefined,
    isOver:
      target.after === undefined
        ? undefined
        : (alias: string) => isOver(dialect, target.after as Keep, alias),
  };
  switch (mask.strategy) {
    case 'deleted-mark':
      return markDeleted(dialect, { column, base, at });
    case 'null':
      if (column.notNull) return 'may not be empty: choose another mask than `null`';
      return { ...base, value: 'null', isMasked: (alias) => `${at(alias)} is null` };
    case 'fixed': {
      const { value } = mask;
      return {
        ...base,
        value: dialect.typed(dialect.literal(value), column),
        isMasked: (alias) => dialect.isLiteral(column, at(alias), value),
        literal: value,
      };
    }
    case 'hash':
      if (!isText(column))
        return `has the type ${column.type}, which no hash fits: choose \`null\` or \`fixed\``;
      if (!hasRoom(column, HASH_LENGTH))
        return `has no room for the ${HASH_LENGTH} letters of a hash: choose \`null\` or \`fixed\``;
      return {
        ...base,
        value: dialect.typed(hashOf(dialect, column, at('t')), column),
        isMasked: (alias) =>
          `coalesce(${dialect.matches(dialect.text(at(alias)), '^erased-[0-9a-f]{20} *$')}, true)`,
      };
    case 'random-email':
      if (!isText(column))
        return `has the type ${column.type}, which no address fits: choose \`null\` or \`fixed\``;
      if (!hasRoom(column, HASH_LENGTH + EMAIL_SUFFIX.length)) {
        return `has no room for the ${HASH_LENGTH + EMAIL_SUFFIX.length} letters of a random address: choose \`null\` or \`hash\``;
      }
      return {
        ...base,
        value: dialect.typed(`(${hashOf(dialect, column, at('t'))} || '${EMAIL_SUFFIX}')`, column),
        isMasked: (alias) =>
          `coalesce(${dialect.matches(dialect.text(at(alias)), '^erased-[0-9a-f]{20}@erased[.]invalid *$')}, true)`,
      };
  }
}

/** True in a boolean; in a column of times, when it was erased, unless it says so already. */
function markDeleted(
  dialect: SqlDialect,
  {
    column,
    base,
    at,
  }: {
    readonly column: LiveColumn;
    readonly base: Pick<CompiledMask, 'column' | 'literal' | 'isOver'>;
    readonly at: (alias: string) => string;
  },
): CompiledMask | string {
  if (column.category === 'B')
    return { ...base, value: 'true', isMasked: (alias) => `coalesce(${at(alias)}, false)` };
  if (column.category !== 'D')
    return `has the type ${column.type}; what marks a row as deleted is a boolean or a time`;
  return { ...base, value: dialect.nowIn(column), isMasked: (alias) => `${at(alias)} is not null` };
}

/** Nothing where the store allows it; else a hash; else the empty text. Undefined: a person has to choose. */
function defaultMask(column: LiveColumn): Mask | undefined {
  if (!column.notNull) return { strategy: 'null' };
  if (!isText(column)) return undefined;
  return hasRoom(column, HASH_LENGTH) ? { strategy: 'hash' } : { strategy: 'fixed', value: '' };
}

/** Salted with a random text that is thrown away with the transaction, so that nobody can try values until one fits. */
function hashOf(dialect: SqlDialect, column: LiveColumn, value: string): string {
  return `'erased-' || substr(${dialect.saltedHash(dialect.print(column, value))}, 1, 20)`;
}

export function isText(column: LiveColumn): boolean {
  return column.category === 'S';
}

function hasRoom(column: LiveColumn, letters: number): boolean {
  return column.length === null || column.length >= letters;
}

/** The time until which a row's own date keeps it. */
export function keptUntil(dialect: SqlDialect, keep: Keep, alias: string): string | undefined {
  if (keep.until === null || !('column' in keep.until)) return undefined;
  const { column, after } = keep.until;
  return dialect.later(`${alias}.${quoteIdentifier(column)}`, after);
}

/** Whether a duty to keep that ends at a date of the row has ended. An unknown date keeps the row. */
export function isOver(dialect: SqlDialect, keep: Keep, alias: string): string {
  const until = keptUntil(dialect, keep, alias);
  return until === undefined ? 'false' : `coalesce(${until} <= ${dialect.now}, false)`;
}
