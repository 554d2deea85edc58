import type { LiveColumn } from '../sql/index.ts';

/** Types whose values are written and compared alike. */
export type ColumnClass =
  | 'integer'
  | 'unsigned'
  | 'decimal'
  | 'float'
  | 'double'
  | 'text'
  | 'enum'
  | 'binary'
  | 'time'
  | 'uuid'
  | 'bit'
  | 'json'
  | 'other';

const CLASSES: Readonly<Record<string, ColumnClass>> = {
  tinyint: 'integer',
  smallint: 'integer',
  mediumint: 'integer',
  int: 'integer',
  bigint: 'integer',
  decimal: 'decimal',
  float: 'float',
  double: 'double',
  char: 'text',
  varchar: 'text',
  tinytext: 'text',
  text: 'text',
  mediumtext: 'text',
  longtext: 'text',
  enum: 'enum',
  set: 'enum',
  binary: 'binary',
  varbinary: 'binary',
  tinyblob: 'binary',
  blob: 'binary',
  mediumblob: 'binary',
  longblob: 'binary',
  date: 'time',
  datetime: 'time',
  timestamp: 'time',
  uuid: 'uuid',
  bit: 'bit',
  // MySQL's own; MariaDB's is a text.
  json: 'json',
};

export function classOf({ baseType, type }: LiveColumn): ColumnClass {
  const known = CLASSES[baseType] ?? 'other';
  return known === 'integer' && type.includes('unsigned') ? 'unsigned' : known;
}

export function isTextClass(of: ColumnClass): boolean {
  return of === 'text' || of === 'enum';
}
