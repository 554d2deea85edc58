import { type NumberedPurpose, SCHEMA } from '../choose-predicate.ts';
import type { ProtectedTable } from '../target.ts';
import { classOfColumn, type MariadbColumn } from './mariadb-column.ts';
import { quoteName, quoteText } from './mariadb-text.ts';

/** Longer identities fit in no key of InnoDB: nobody is known by one, and rows with one are hidden. In characters. */
export const LONGEST_IDENTITY = 768;

/** Of a person, a `bigint`: of larger ones, in a column of `bigint unsigned`, nobody can note what was said. */
export const LARGEST_NUMBER = '9223372036854775807';

/**
 * What ECMAScript's `trim` takes away of ASCII, at both ends. As bytes, because backslashes mean different things to different sessions, with the flag
 * that a session can turn round (`default_regex_flags`), and with ends of the text that it cannot make those of each line.
 */
const BLANKS = quoteText(String.raw`(?-U)\A[\t-\r ]+|[\t-\r ]+\z`);

export interface NarrowOptions {
  readonly purpose: NumberedPurpose;
  /** The one that rows name people by. */
  readonly column: MariadbColumn;
  /** Names a row. */
  readonly alias: string;
}

/**
 * What follows the table in `from`, so that the rows are those whose person's data may be used. Before the first sync there are none. Nobody has two
 * signatures, so that joins make no rows. A subquery would be wrong: MariaDB remembers its answers by the collation of the column, to which
 * U-1 is u-1.
 */
export function mariadbNarrowed(table: ProtectedTable, { purpose, column, alias }: NarrowOptions): string {
  const people = `${SCHEMA}.${quoteName(`signatures_${table.identity}`)}`;
  const { key } = table;
  const number = key === undefined ? undefined : `${alias}.${quoteName(key)}`;
  const isNumbered = key === table.column;
  const bit = 1n << BigInt(purpose.number);
  const text = identityExpression(table, column, alias);
  const joins = [
    `join ${SCHEMA}.filled as f on f.type = ${quoteText(table.identity)} and f.purpose = ${purpose.number}`,
  ];
  if (number !== undefined) joins.push(`left join ${people} as n on n.number = ${number}`);
  if (!isNumbered)
    joins.push(
      `left join ${people} as s on ${number === undefined ? '' : `${number} is null and `}s.identity = ${text}`,
    );
  const said = [...(number === undefined ? [] : ['n']), ...(isNumbered ? [] : ['s'])];
  const word = (name: string) => `coalesce(${said.map((one) => `${one}.${name}`).join(', ')}, 0)`;
  if (!purpose.optOut) return `${joins.join(' ')} where (${word('granted')} & ${bit}) <> 0`;
  const told = isNumbered ? undefined : tellable(column, alias);
  const known = number === undefined ? [] : [`(${number} is null or ${number} <= ${LARGEST_NUMBER})`];
  const unless =
    told === undefined ? [] : [number === undefined ? told : `(${number} is not null or ${told})`];
  return `${joins.join(' ')} where ${[`(${word('denied')} & ${bit}) = 0`, ...known, ...unless].join(' and ')}`;
}

/**
 * The identity of a row as it is stored. MariaDB has no composed form of letters, and folds other ones than Unicode does: e-mail addresses
 * of ASCII are brought into the stored form, and other texts are as they stand.
 */
function identityExpression({ identity }: ProtectedTable, column: MariadbColumn, alias: string): string {
  const text = `${printed(column, alias)} collate utf8mb4_nopad_bin`;
  if (identity !== 'email') return text;
  return `case when ${isAscii(text)} then lower(regexp_replace(${text}, ${BLANKS}, '')) else ${text} end collate utf8mb4_nopad_bin`;
}

function printed(column: MariadbColumn, alias: string): string {
  const at = `${alias}.${quoteName(column.name)}`;
  switch (classOfColumn(column)) {
    // Added to nothing, a number is written without zeros before it.
    case 'integer':
      return `convert(${at} + 0 using utf8mb4)`;
    case 'uuid':
      return `convert(cast(${at} as char(36)) using utf8mb4)`;
    default:
      // Such a text ends without blanks, unless the session asks for all of them (`PAD_CHAR_TO_FULL_LENGTH`).
      return `convert(${column.type === 'char' ? `rtrim(${at})` : at} using utf8mb4)`;
  }
}

/** Whether it can be told who a row is of: a text with other letters must be known as it stands, or somebody who refused might be written in another way. */
function tellable(column: MariadbColumn, alias: string): string {
  if (classOfColumn(column) !== 'text') return 'true';
  const at = printed(column, alias);
  const fits = `char_length(${at}) <= ${LONGEST_IDENTITY}`;
  return `(${alias}.${quoteName(column.name)} is null or s.identity is not null or (${isAscii(at)} and ${fits}))`;
}

function isAscii(text: string): string {
  return `length(${text}) = char_length(${text})`;
}
