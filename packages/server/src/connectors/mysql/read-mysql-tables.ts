import {
  fieldShape,
  type LiveColumn,
  type LiveReference,
  type LiveTable,
  type SqlTransaction,
  type TextRow,
} from '../sql/index.ts';
import { readPrivileges } from './read-privileges.ts';

const TABLES = `
  select table_name, engine, cast(table_rows as char) from information_schema.tables
   where table_schema = database() and table_type = 'BASE TABLE' order by table_name`;

const COLUMNS = `
  select table_name, column_name, column_type, data_type, is_nullable, cast(character_maximum_length as char), extra,
         character_set_name, collation_name
    from information_schema.columns where table_schema = database() order by table_name, ordinal_position`;

/** Unique indexes over whole columns, the primary key first. */
const KEYS = `
  select table_name, index_name, column_name, cast(sub_part as char)
    from information_schema.statistics where table_schema = database() and non_unique = 0
   order by table_name, index_name <> 'PRIMARY', index_name, seq_in_index`;

const REFERENCES = `
  select k.table_name, k.constraint_name, k.referenced_table_name, lower(r.delete_rule), k.column_name, k.referenced_column_name
    from information_schema.key_column_usage k
    join information_schema.referential_constraints r
      on r.constraint_schema = k.constraint_schema and r.constraint_name = k.constraint_name and r.table_name = k.table_name
   where k.table_schema = database() and k.referenced_table_schema = database()
   order by k.table_name, k.constraint_name, k.ordinal_position`;

/** Reads the live schema of the connection's database, without reading a row of data. */
export async function readMysqlTables(transaction: SqlTransaction): Promise<ReadonlyMap<string, LiveTable>> {
  const tables = await transaction.rows(TABLES);
  const columns = Map.groupBy(await transaction.rows(COLUMNS), nameOf);
  const keys = Map.groupBy(await transaction.rows(KEYS), nameOf);
  const references = Map.groupBy(await transaction.rows(REFERENCES), nameOf);
  const privileges = await readPrivileges(transaction);
  return new Map(
    tables.map(([table, engine, estimate]): [string, LiveTable] => {
      const name = `${table}`;
      const live = (columns.get(name) ?? []).map(toColumn);
      const unique = [...Map.groupBy(keys.get(name) ?? [], ([, index]) => `${index}`)]
        .filter(([, parts]) => parts.every(([, , , prefix]) => prefix === null))
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
          schema: '',
          table: name,
          columns: new Map(live.map((column) => [column.name, column])),
          references: outgoing,
          privileges: privileges.on(name),
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

function toColumn([
  ,
  name,
  type,
  dataType,
  nullable,
  length,
  extra,
  charset,
  collation,
]: TextRow): LiveColumn {
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
