import type { Keep, Mask, Target } from '../../catalog/index.ts';
import type { CompiledMask } from './compiled.ts';
import type { LiveColumn } from './live-table.ts';
import { quoteIdentifier, quoteLiteral } from './quote.ts';

/** `erased-` and 20 hexadecimal digits. */
const HASH_LENGTH = 27;
const EMAIL_SUFFIX = '@erased.invalid';

/** The mask of a column in SQL, or a sentence that says why it cannot be masked so. */
export function compileMask(target: Target, column: LiveColumn): CompiledMask | string {
  const mask = target.mask ?? defaultMask(column);
  if (mask === undefined) {
    return `has the type ${column.type} and may not be empty: say what replaces it, with \`mask: { strategy: fixed, value: … }\``;
  }
  const name = quoteIdentifier(column.name);
  const at = (alias: string) => `${alias}.${name}`;
  const base = {
    column,
    literal: undefined,
    isOver: target.after === undefined ? undefined : (alias: string) => isOver(target.after as Keep, alias),
  };
  switch (mask.strategy) {
    case 'deleted-mark':
      return markDeleted(column, base, at);
    case 'null':
      if (column.notNull) return 'may not be empty: choose another mask than `null`';
      return { ...base, value: 'null', isMasked: (alias) => `${at(alias)} is null` };
    case 'fixed': {
      const literal = `${quoteLiteral(mask.value)}::${column.type}`;
      return {
        ...base,
        value: literal,
        // As text, because not every type can be compared.
        isMasked: (alias) => `coalesce(${at(alias)}::text = (${literal})::text, true)`,
        literal: { text: mask.value, type: column.type },
      };
    }
    case 'hash':
      if (!isText(column))
        return `has the type ${column.type}, which no hash fits: choose \`null\` or \`fixed\``;
      if (!hasRoom(column, HASH_LENGTH))
        return `has no room for the ${HASH_LENGTH} letters of a hash: choose \`null\` or \`fixed\``;
      return {
        ...base,
        value: `(${hashOf(at('t'))})::${column.type}`,
        isMasked: (alias) => `coalesce(${at(alias)}::text ~ '^erased-[0-9a-f]{20} *$', true)`,
      };
    case 'random-email':
      if (!isText(column))
        return `has the type ${column.type}, which no address fits: choose \`null\` or \`fixed\``;
      if (!hasRoom(column, HASH_LENGTH + EMAIL_SUFFIX.length)) {
        return `has no room for the ${HASH_LENGTH + EMAIL_SUFFIX.length} letters of a random address: choose \`null\` or \`hash\``;
      }
      return {
        ...base,
        value: `(${hashOf(at('t'))} || '${EMAIL_SUFFIX}')::${column.type}`,
        isMasked: (alias) =>
          `coalesce(${at(alias)}::text ~ '^erased-[0-9a-f]{20}@erased\\.invalid *$', true)`,
      };
  }
}

/** True in a boolean; in a column of times, when it was erased, unless it says so already. */
function markDeleted(
  column: LiveColumn,
  base: Pick<CompiledMask, 'column' | 'literal' | 'isOver'>,
  at: (alias: string) => string,
): CompiledMask | string {
  if (column.category === 'B')
    return { ...base, value: 'true', isMasked: (alias) => `coalesce(${at(alias)}, false)` };
  if (column.category !== 'D')
    return `has the type ${column.type}; what marks a row as deleted is a boolean or a time`;
  const now = `current_setting('habeas.now')::timestamptz::${column.type}`;
  return { ...base, value: now, isMasked: (alias) => `${at(alias)} is not null` };
}

/** Nothing where the store allows it; else a hash; else the empty text. Undefined: a person has to choose. */
function defaultMask(column: LiveColumn): Mask | undefined {
  if (!column.notNull) return { strategy: 'null' };
  if (!isText(column)) return undefined;
  return hasRoom(column, HASH_LENGTH) ? { strategy: 'hash' } : { strategy: 'fixed', value: '' };
}

/** Salted with a random text that is thrown away with the transaction, so that nobody can try values until one fits. */
function hashOf(value: string): string {
  return `'erased-' || substr(encode(sha256(convert_to(current_setting('habeas.salt') || ${value}::text, 'UTF8')), 'hex'), 1, 20)`;
}

export function isText(column: LiveColumn): boolean {
  return column.category === 'S';
}

function hasRoom(column: LiveColumn, letters: number): boolean {
  return column.length === null || column.length >= letters;
}

/** The time until which a row's own date keeps it. `as of` is the session's `habeas.now`, set from Habeas' clock. */
export function keptUntil(keep: Keep, alias: string): string | undefined {
  if (keep.until === null || !('column' in keep.until)) return undefined;
  const { column, after } = keep.until;
  return `(${alias}.${quoteIdentifier(column)}::timestamptz + interval '${after.count} ${after.unit}')`;
}

/** Whether a duty to keep that ends at a date of the row has ended. An unknown date keeps the row. */
export function isOver(keep: Keep, alias: string): string {
  const until = keptUntil(keep, alias);
  return until === undefined
    ? 'false'
    : `coalesce(${until} <= current_setting('habeas.now')::timestamptz, false)`;
}
