import { api } from '@habeas/contract';
import { HabeasError } from '../../foundation/index.ts';
import type { TableRow } from './read-table.ts';

/** What one row asks for. */
export interface RowRequest {
  readonly right: api.Right;
  readonly identities: readonly api.Identity[];
  /** The row's own name, if the list has a column for it. */
  readonly reference: string | undefined;
}

/** Rights that need nothing but a person. What is to be put right, or objected to, does not fit into a row. */
export const IMPORTED_RIGHTS: readonly api.Right[] = api.rightSchema.options.filter(
  (right) => right !== 'rectification' && right !== 'objection',
);

/** What each column holds. */
export interface Columns {
  readonly count: number;
  readonly right: number | undefined;
  readonly reference: number | undefined;
  /** Identity type → its column. */
  readonly identities: ReadonlyMap<string, number>;
}

export interface ColumnOptions {
  readonly ignore: ReadonlySet<string>;
  /** Identity types that some system knows a person by. */
  readonly known: ReadonlySet<string>;
  readonly right: api.Right | undefined;
}

/** Types that need no system to know them: most lists have them. */
const COMMON_TYPES = ['email', 'phone_number', 'user_id'];

/**
 * Reads a header. A column that nothing is known of is an error and not left out: it may be a misspelt identity, without which a
 * request would miss what it was made for. Throws BAD_INPUT; names of columns are repeated only where they can be names.
 */
export function readHeader(header: readonly string[], options: ColumnOptions): Columns {
  const identities = new Map<string, number>();
  const named = new Map<string, number>();
  for (const [index, name] of header.entries()) {
    if (options.ignore.has(name)) continue;
    if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) {
      throw badHeader(`column ${index + 1} is not named by lower-case letters, digits and _`);
    }
    if (named.has(name)) throw badHeader(`there are two columns ${name}`);
    named.set(name, index);
    if (name === 'right' || name === 'reference') continue;
    if (!COMMON_TYPES.includes(name) && !options.known.has(name)) {
      throw badHeader(
        `no system knows a person by ${name}. Correct it, or leave the column out with ignore=${name}`,
      );
    }
    identities.set(name, index);
  }
  if (identities.size === 0) throw badHeader('no column is an identity, such as email or user_id');
  const right = named.get('right');
  if (right === undefined && options.right === undefined) {
    throw badHeader('there is no column right, and no right was given for all rows');
  }
  return { count: header.length, right, reference: named.get('reference'), identities };
}

/** What is wrong with a row, without anything of it. */
export interface RowMistake {
  readonly mistake: string;
}

/** Reads one row. Pure. */
export function readRow(
  { cells }: TableRow,
  columns: Columns,
  fallback: api.Right | undefined,
): RowRequest | RowMistake {
  if (cells.length !== columns.count) {
    return { mistake: `the row has ${cells.length} cells, and the header ${columns.count}` };
  }
  const word = columns.right === undefined ? '' : (cells[columns.right] ?? '').trim().toLowerCase();
  const right = word === '' ? fallback : IMPORTED_RIGHTS.find((known) => known === word);
  if (right === undefined || !IMPORTED_RIGHTS.includes(right)) {
    return { mistake: `right must be one of ${IMPORTED_RIGHTS.join(', ')}` };
  }
  const identities: api.Identity[] = [];
  for (const [type, index] of columns.identities) {
    const value = cleanValue(cells[index] ?? '');
    if (value === '') continue;
    const doubt = doubtAbout(value);
    if (doubt !== undefined) return { mistake: `${type} ${doubt}` };
    identities.push({ type, value });
  }
  if (identities.length === 0) return { mistake: 'the row names nobody: all its identities are empty' };
  if (!api.createRequestSchema.shape.identities.safeParse(identities).success) {
    return { mistake: 'an identity is too long, or holds characters that cannot be stored' };
  }
  const reference = columns.reference === undefined ? '' : (cells[columns.reference] ?? '').trim();
  if (reference.length > 200) return { mistake: 'reference is longer than 200 characters' };
  return { right, identities, reference: reference === '' ? undefined : reference };
}

/** Without the spaces around it, and without the apostrophe that keeps a spreadsheet from running it (OWASP, "CSV injection"). */
function cleanValue(cell: string): string {
  const trimmed = cell.trim();
  return /^'[=+\-@\t\r]/.test(trimmed) ? trimmed.slice(1) : trimmed;
}

/** Why a value cannot be what the person wrote. */
function doubtAbout(value: string): string | undefined {
  if (/^[=@\t\r]/.test(value)) return 'looks like a formula';
  if (/^[+-]/.test(value) && !/^\+[\d ()./-]+$/.test(value)) return 'looks like a formula';
  if (/^\d(?:[.,]\d+)?E\+\d+$/i.test(value))
    return 'is a number that a spreadsheet has rounded; format the column as text';
  if (/^#(?:REF|N\/A|NAME\?|VALUE|NUM|DIV\/0|NULL)!?$/i.test(value)) return 'is an error of a spreadsheet';
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/u.test(value)) return 'holds characters that cannot be seen';
  if (value.includes('\uFFFD')) return 'holds characters that were lost in another encoding';
  return undefined;
}

function badHeader(what: string): HabeasError {
  return new HabeasError('BAD_INPUT', `The header cannot be used: ${what}.`);
}
