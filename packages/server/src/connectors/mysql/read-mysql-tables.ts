import {
  fieldShape,
  type LiveColumn,
  type LiveReference,
  type LiveTable,
  quoteIdentifier,
  type SqlTransaction,
  type TextRow,
} from '../sql/index.ts';
import type { Product } from './product.ts';
import { readPrivileges } from './read-privileges.ts';
import { quoteLiteral } from './values.ts';

/** Statements over the connection's own database and these others. Tables of the others have names with their database's before them. */
function statementsFor(others: readonly string[]) {
  const isOurs = (at: string) => `${at} in (${['database()', ...others.map(quoteLiteral)].join(', ')})`;
  const named = (schema: string, table: string) =>
    `case when ${schema} = database() then ${table} else concat(${schema}, '.', ${table}) end`;
  const table = named('table_schema', 'table_name');
  return {
    tables: `
      select ${table}, engine, cast(table_rows as char), case when table_schema = database() then '' else table_schema end, table_name
        from information_schema.tables where ${isOurs('table_schema')} and table_type = 'BASE TABLE'
       order by table_schema <> database(), table_schema, table_name`,
    columns: `
      select ${table}, column_name, column_type, data_type, is_nullable, cast(character_maximum_length as char), extra,
             character_set_name, collation_name
        from information_schema.columns where ${isOurs('table_schema')} order by table_schema, table_name, ordinal_position`,
    /** Unique indexes, the primary key first. Of an expression there is no column, of the beginning of a column its length. */
    keys: `
      select ${table}, index_name, column_name, cast(sub_part as char)
        from information_schema.statistics where ${isOurs('table_schema')} and non_unique = 0
       order by table_schema, table_name, index_name <> 'PRIMARY', index_name, seq_in_index`,
    references: `
      select ${named('k.table_schema', 'k.table_name')}, k.constraint_name, ${named('k.referenced_table_schema', 'k.referenced_table_name')},
             lower(r.delete_rule), k.column_name, k.referenced_column_name
        from information_schema.key_column_usage k
        join information_schema.referential_constraints r
          on r.constraint_schema = k.constraint_schema and r.constraint_name = k.constraint_name and r.table_name = k.table_name
       where ${isOurs('k.table_schema')} and ${isOurs('k.referenced_table_schema')}
       order by k.table_schema, k.table_name, k.constraint_name, k.ordinal_position`,
    /** What each row has to fulfil; the `json` of MariaDB is a text that has to be JSON, and that of MySQL a type. */
    rules: `
      select ${named('constraint_schema', 'table_name')}, check_clause from information_schema.check_constraints
       where ${isOurs('constraint_schema')}`,
  };
}

/** Reads the live schema of the connection's database and of `others`, without reading a row of data. By shape name: `table`, or `database.table`. */
export async function readMysqlTables(
  transaction: SqlTransaction,
  { product, others }: { readonly product: Product; readonly others: readonly string[] },
): Promise<ReadonlyMap<string, LiveTable>> {
  const statements = statementsFor(others);
  const tables = await transaction.rows(statements.tables);
  const columns = Map.groupBy(await transaction.rows(statements.columns), nameOf);
  const keys = Map.groupBy(await transaction.rows(statements.keys), nameOf);
  const references = Map.groupBy(await transaction.rows(statements.references), nameOf);
  const rules = Map.groupBy(product === 'MariaDB' ? await transaction.rows(statements.rules) : [], nameOf);
  const privileges = await readPrivileges(transaction);
  return new Map(
    tables.map(([shape, engine, estimate, schema, table]): [string, LiveTable] => {
      const name = `${shape}`;
      const live = (columns.get(name) ?? []).map((row) => toColumn(row, rules.get(name) ?? []));
      const unique = [...Map.groupBy(keys.get(name) ?? [], ([, index]) => `${index}`)]
        .filter(([, parts]) => parts.every(([, , column, prefix]) => column !== null && prefix === null))
        .map(([index, parts]) => ({ index, columns: parts.map(([, , column]) => `${column}`) }));
      const outgoing = [...Map.groupBy(references.get(name) ?? [], ([, constraint]) => `${constraint}`)].map(
        ([constraint, parts]) => toReference(constraint, parts),
      );
      return [
        name,
        {
          shape: {
            name,
            fields: live.map(fieldShape),
            primaryKey: unique.find(({ index }) => index === 'PRIMARY')?.columns ?? [],
            uniqueKeys: unique.filter(({ index }) => index !== 'PRIMARY').map((key) => key.columns),
            references: outgoing.map(({ deferrable: _, ...shape }) => shape),
            rowEstimate: estimate == null ? null : Number(estimate),
          },
          schema: `${schema}`,
          table: `${table}`,
          columns: new Map(live.map((column) => [column.name, column])),
          references: outgoing,
          privileges: privileges.on({ schema: `${schema}`, table: `${table}` }),
          rowsHidden: false,
          unfit:
            engine === 'InnoDB'
              ? undefined
              : `The table "${name}" is of the engine ${engine}, which cannot take a change back: \`alter table … engine = InnoDB\`.`,
        },
      ];
    }),
  );
}

function nameOf([name]: TextRow): string {
  return `${name}`;
}

function toColumn(
  [, name, type, dataType, nullable, length, extra, charset, collation]: TextRow,
  rules: readonly TextRow[],
): LiveColumn {
  const baseType = `${dataType}`.toLowerCase();
  const isComputed = /generated/i.test(extra ?? '') && !/default_generated/i.test(extra ?? '');
  return {
    name: `${name}`,
    type: `${type}`,
    baseType,
    category: categoryOf(baseType, `${type}`),
    notNull: nullable === 'NO',
    length: length == null ? null : Number(length),
    generated: isComputed ? 'stored' : /auto_increment/i.test(extra ?? '') ? 'by default' : 'no',
    isJson:
      baseType === 'json' ||
      rules.some(([, clause]) => clause === `json_valid(${quoteIdentifier(`${name}`)})`),
    letters: charset == null || collation == null ? undefined : { charset, collation },
  };
}

/** The letters that PostgreSQL has for kinds of types. */
function categoryOf(baseType: string, type: string): string {
  if (type === 'tinyint(1)' || type === 'bit(1)') return 'B';
  if (/^(date|datetime|timestamp|time|year)$/.test(baseType)) return 'D';
  if (/^(enum|set)$/.test(baseType)) return 'E';
  if (/char|text/.test(baseType)) return 'S';
  return /int|decimal|float|double/.test(baseType) ? 'N' : 'U';
}

function toReference(name: string, parts: readonly TextRow[]): LiveReference {
  const [first] = parts;
  return {
    name,
    columns: parts.map(([, , , , column]) => `${column}`),
    target: `${first?.[2]}`,
    targetColumns: parts.map(([, , , , , column]) => `${column}`),
    onDelete: `${first?.[3]}` as LiveReference['onDelete'],
    deferrable: false,
  };
}
