import type { LiveColumn } from '../sql/index.ts';
import { classOf } from './column-class.ts';
import { BINARY_COLLATION, type Product } from './product.ts';

/** Texts that are compared letter by letter, with the spaces at their ends. */
export function binaryText(product: Product): string {
  return `character set utf8mb4 collate ${BINARY_COLLATION[product]}`;
}

/** A value as people read it; bytes as PostgreSQL prints them. */
export function print(column: LiveColumn, at: string): string {
  switch (classOf(column)) {
    case 'binary':
      return `concat('\\x', lower(hex(${at})))`;
    case 'bit':
      return `cast(${at} + 0 as char)`;
    default:
      return `cast(${at} as char)`;
  }
}

/** The same with every digit of a number: a `float` prints six. */
export function stored(column: LiveColumn, at: string): string {
  return classOf(column) === 'float' ? `cast(cast(${at} as double) as char)` : print(column, at);
}

/** A stored text as a value that compares with the column by the column's own index. */
export function fromStored(column: LiveColumn, text: string): string {
  const { letters } = column;
  switch (classOf(column)) {
    case 'integer':
      return `cast(${text} as signed)`;
    case 'unsigned':
    case 'bit':
      return `cast(${text} as unsigned)`;
    case 'decimal':
      return `cast(${text} as decimal(65, 30))`;
    case 'float':
    case 'double':
      return `cast(${text} as double)`;
    case 'binary':
      return `unhex(substr(${text}, 3))`;
    case 'time':
      return `cast(${text} as datetime(6))`;
    case 'uuid':
      return `cast(${text} as uuid)`;
    case 'json':
      return `cast(${text} as json)`;
    case 'text':
    case 'enum':
      return letters === undefined
        ? text
        : `convert(${text} using ${letters.charset}) collate ${letters.collation}`;
    default:
      return text;
  }
}

/** The type of a temporary table's column. The long types cannot be in an index, and nothing that long is a key. */
export function keyType(column: LiveColumn): string {
  const { type, letters, baseType } = column;
  const collation =
    letters === undefined ? '' : ` character set ${letters.charset} collate ${letters.collation}`;
  if (baseType.endsWith('text')) return `varchar(700)${collation}`;
  if (baseType.endsWith('blob')) return 'varbinary(700)';
  return `${type}${collation}`;
}

/** For the mode without escapes. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
