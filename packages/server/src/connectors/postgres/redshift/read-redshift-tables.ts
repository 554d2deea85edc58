import {
  fieldShape,
  type LiveColumn,
  type LiveReference,
  type LiveTable,
  type SqlTransaction,
  type Text,
  type TextRow,
} from '../../sql/index.ts';

/** Views, external tables and what materialized views keep are no tables. The catalog is that of PostgreSQL 8.0. */
const OWN_TABLES = `c.relkind = 'r' and n.nspname <> 'information_schema' and substring(n.nspname, 1, 3) <> 'pg_'
   and substring(c.relname, 1, 8) <> 'mv_tbl__'`;

const TABLES = `
  select c.oid, n.nspname, c.relname, c.reltuples, has_table_privilege(c.oid, 'select'),
         has_table_privilege(c.oid, 'update'), has_table_privilege(c.oid, 'delete')
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where ${OWN_TABLES} order by n.nspname, c.relname`;

const COLUMNS = `
  select a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attnum, pg_get_expr(d.adbin, d.adrelid)
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    join pg_catalog.pg_attribute a on a.attrelid = c.oid
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where ${OWN_TABLES} and a.attnum > 0 and not a.attisdropped order by a.attrelid, a.attnum`;

/** Primary keys, unique keys and foreign keys, which are declared and not enforced. */
const CONSTRAINTS = `
  select r.conrelid, r.conname, r.contype, r.conkey, r.confrelid, r.confkey
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    join pg_catalog.pg_constraint r on r.conrelid = c.oid
   where ${OWN_TABLES} and r.contype in ('p', 'u', 'f') order by r.conrelid, r.contype, r.conname`;

const TEXTS: ReadonlySet<string> = new Set(['character varying', 'character', 'text']);
const NUMBERS: ReadonlySet<string> = new Set([
  'smallint',
  'integer',
  'bigint',
  'numeric',
  'real',
  'double precision',
]);

interface Found {
  readonly shapes: ReadonlyMap<Text, string>;
  /** Names by table and number. */
  readonly columns: ReadonlyMap<Text, ReadonlyMap<string, string>>;
}

/** Reads the live schema from the catalog, without reading a row of data. By shape name: `table`, or `schema.table`. */
export async function readRedshiftTables(
  transaction: SqlTransaction,
): Promise<ReadonlyMap<string, LiveTable>> {
  const tables = await transaction.rows(TABLES);
  const columns = Map.groupBy(await transaction.rows(COLUMNS), ([table]) => table ?? null);
  const constraints = Map.groupBy(await transaction.rows(CONSTRAINTS), ([table]) => table ?? null);
  const found: Found = {
    shapes: new Map(tables.map(([oid = null, schema, table]) => [oid, shapeName(`${schema}`, `${table}`)])),
    columns: new Map(
      [...columns].map(([oid, rows]) => [oid, new Map(rows.map((row) => [`${row[4]}`, `${row[1]}`]))]),
    ),
  };
  return new Map(
    tables.map((row): [string, LiveTable] => {
      const table = toTable(row, columns.get(row[0] ?? null) ?? [], {
        constraints: constraints.get(row[0] ?? null) ?? [],
        found,
      });
      return [table.shape.name, table];
    }),
  );
}

function toTable(
  [oid = null, schema, table, estimate, select, update, remove]: TextRow,
  rows: readonly TextRow[],
  { constraints, found }: { readonly constraints: readonly TextRow[]; readonly found: Found },
): LiveTable {
  const name = shapeName(`${schema}`, `${table}`);
  const columns = rows.map(toColumn);
  const keysOf = (kind: string) =>
    constraints.filter(([, , type]) => type === kind).map(([, , , numbers]) => namesOf(found, oid, numbers));
  const references = constraints.flatMap((row) => toReference(row, found));
  const estimated = Math.round(Number(estimate ?? 0));
  return {
    shape: {
      name,
      fields: columns.map(fieldShape),
      primaryKey: keysOf('p')[0] ?? [],
      uniqueKeys: keysOf('u'),
      references: references.map(({ deferrable: _, ...shape }) => shape),
      rowEstimate: estimated > 0 ? estimated : null,
    },
    schema: `${schema}`,
    table: `${table}`,
    columns: new Map(columns.map((column) => [column.name, column])),
    references,
    privileges: { select: select === 't', update: update === 't', delete: remove === 't' },
    // Only administrators may see which tables have row security.
    rowsHidden: false,
  };
}

function shapeName(schema: string, table: string): string {
  return schema === 'public' ? table : `${schema}.${table}`;
}

function toColumn([, name, type, notNull, , fallback]: TextRow): LiveColumn {
  const baseType = `${type}`.replace(/\(.*?\)/, '').trim();
  const [, length] = /^character[^(]*\((\d+)\)/.exec(`${type}`) ?? [];
  return {
    name: `${name}`,
    type: `${type}`,
    baseType,
    category: categoryOf(baseType),
    notNull: notNull === 't',
    length: length === undefined ? null : Number(length),
    generated: /^"?identity"?\(/.test(fallback ?? '')
      ? 'always'
      : /^"?default_identity"?\(/.test(fallback ?? '')
        ? 'by default'
        : 'no',
  };
}

/** PostgreSQL's words, which the catalog of 8.0 does not have. */
function categoryOf(baseType: string): string {
  if (TEXTS.has(baseType)) return 'S';
  if (NUMBERS.has(baseType)) return 'N';
  if (baseType === 'boolean') return 'B';
  return /^(date|time|interval)/.test(baseType) ? 'D' : 'U';
}

function toReference(
  [oid = null, name, type, numbers, targetOid = null, targets]: TextRow,
  found: Found,
): readonly LiveReference[] {
  const target = found.shapes.get(targetOid);
  if (type !== 'f' || target === undefined) return [];
  return [
    {
      name: `${name}`,
      columns: namesOf(found, oid, numbers),
      target,
      targetColumns: namesOf(found, targetOid, targets),
      onDelete: 'no action',
      deferrable: false,
    },
  ];
}

/** `{1,2}`: numbers of columns. */
function namesOf({ columns }: Found, table: Text, numbers: Text | undefined): readonly string[] {
  return [...(numbers ?? '').matchAll(/\d+/g)].flatMap(([number]) => columns.get(table)?.get(number) ?? []);
}
