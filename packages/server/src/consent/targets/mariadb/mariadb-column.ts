/** A column of a table as MariaDB has it. */
export interface MariadbColumn {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  /** `varchar`, `int`, … */
  readonly type: string;
  /** The most characters; null for what is no text. */
  readonly length: number | null;
}

const INTEGERS = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint']);
const TEXTS = new Set(['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext', 'enum']);

/** How values of a column are written as identities; undefined: in no way that is always the same. */
export function classOfColumn({
  type,
}: Pick<MariadbColumn, 'type'>): 'integer' | 'text' | 'uuid' | undefined {
  if (INTEGERS.has(type)) return 'integer';
  if (TEXTS.has(type)) return 'text';
  return type === 'uuid' ? 'uuid' : undefined;
}
