import {
  fieldShape,
  type LiveColumn,
  type LiveReference,
  type LiveTable,
  type SqlTransaction,
  type TextRow,
} from '../sql/index.ts';
import { affinityOf } from './affinity.ts';

/** Ordinary tables, without views, virtual tables and what lies behind those. */
const TABLES = `
  select l.name, cast(l.wr as text), s.sql from pragma_table_list l left join main.sqlite_schema s on s.type = 'table' and s.name = l.name
   where l.schema = 'main' and l.type = 'table' and l.name not like 'sqlite\\_%' escape '\\'
   order by l.name`;

const COLUMNS = `
  select t.name, c.name, c.type, cast(c."notnull" as text), cast(c.pk as text), cast(c.hidden as text)
    from pragma_table_list t join pragma_table_xinfo(t.name) c
   where t.schema = 'main' and t.type = 'table' order by t.name, c.cid`;

/** Unique indexes over plain columns and all rows. */
const KEYS = `
  select t.name, i.name, c.name
    from pragma_table_list t join pragma_index_list(t.name) i join pragma_index_info(i.name) c
   where t.schema = 'main' and t.type = 'table' and i."unique" and not i.partial and i.origin <> 'pk'
   order by t.name, i.seq, c.seqno`;

const REFERENCES = `
  select t.name, cast(r.id as text), r."table", r."from", r."to", lower(r.on_delete)
    from pragma_table_list t join pragma_foreign_key_list(t.name) r
   where t.schema = 'main' and t.type = 'table' order by t.name, r.id, r.seq`;

/** Reads the live schema without reading a row of data. */
export async function readSqliteTables(transaction: SqlTransaction): Promise<ReadonlyMap<string, LiveTable>> {
  const tables = await transaction.rows(TABLES);
  const columns = Map.groupBy(await transaction.rows(COLUMNS), nameOf);
  const keys = Map.groupBy(await transaction.rows(KEYS), nameOf);
  const references = Map.groupBy(await transaction.rows(REFERENCES), nameOf);
  const keyOf = (name: string) => primaryKeyOf(columns.get(name) ?? []);
  return new Map(
    tables.map(([table, withoutRowid, sql]): [string, LiveTable] => {
      const name = `${table}`;
      const rows = columns.get(name) ?? [];
      const primaryKey = keyOf(name);
      const live = rows.map((row) =>
        toColumn(row, { primaryKey, isKeyComplete: withoutRowid === '1', sql: sql ?? '' }),
      );
      const outgoing = [...Map.groupBy(references.get(name) ?? [], ([, id]) => `${id}`)].map(([id, parts]) =>
        toReference({ name: `${name}.${id}`, parts, keyOf }),
      );
      return [
        name,
        {
          shape: {
            name,
            fields: live.map(fieldShape),
            primaryKey,
            uniqueKeys: [...Map.groupBy(keys.get(name) ?? [], ([, index]) => `${index}`).values()]
              .map((parts) => parts.flatMap(([, , column]) => column ?? []))
              .filter((parts) => parts.length > 0),
            references: outgoing.map(({ deferrable: _, ...shape }) => shape),
            rowEstimate: null,
          },
          schema: 'main',
          table: name,
          columns: new Map(live.map((column) => [column.name, column])),
          references: outgoing,
          privileges: { select: true, update: true, delete: true },
          rowsHidden: false,
        },
      ];
    }),
  );
}

function nameOf([name]: TextRow): string {
  return `${name}`;
}

function primaryKeyOf(columns: readonly TextRow[]): readonly string[] {
  return columns
    .filter(([, , , , position]) => position !== '0')
    .toSorted((one, other) => Number(one[4]) - Number(other[4]))
    .map(([, name]) => `${name}`);
}

function toColumn(
  [, name, type, notNull, , hidden]: TextRow,
  {
    primaryKey,
    isKeyComplete,
    sql,
  }: { readonly primaryKey: readonly string[]; readonly isKeyComplete: boolean; readonly sql: string },
): LiveColumn {
  const declared = `${type ?? ''}`;
  const isRowNumber = primaryKey.length === 1 && /^integer$/i.test(declared);
  const inKey = primaryKey.includes(`${name}`);
  const length = /\((\d+)\)/.exec(declared);
  return {
    name: `${name}`,
    type: declared,
    baseType: declared.replace(/\s*\(.*\)/, '').toLowerCase(),
    category: categoryOf(declared),
    // A primary key may be empty in old tables, which SQLite keeps so.
    notNull: notNull === '1' || (inKey && (isRowNumber || isKeyComplete)),
    length: affinityOf(declared) === 'text' && length !== null ? Number(length[1]) : null,
    generated: hidden === '2' || hidden === '3' ? 'stored' : 'no',
    isJson: /^jsonb?$/i.test(declared) || hasJsonRule(sql, `${name}`),
  };
}

/** Whether the statement that made a table says `check (json_valid(column))`, however the name is quoted. */
function hasJsonRule(sql: string, column: string): boolean {
  const rules = sql.matchAll(/\bjson_valid\s*\(\s*(?:"([^"]+)"|`([^`]+)`|\[([^\]]+)\]|(\w+))\s*[,)]/gi);
  return [...rules].some((rule) =>
    rule.slice(1).some((name) => name?.toLowerCase() === column.toLowerCase()),
  );
}

function categoryOf(type: string): string {
  if (/bool/i.test(type)) return 'B';
  if (/date|time/i.test(type)) return 'D';
  const affinity = affinityOf(type);
  return affinity === 'text' ? 'S' : affinity === 'blob' ? 'U' : 'N';
}

function toReference(options: {
  readonly name: string;
  readonly parts: readonly TextRow[];
  readonly keyOf: (table: string) => readonly string[];
}): LiveReference {
  const { name, parts, keyOf } = options;
  const [first] = parts;
  const target = `${first?.[2]}`;
  const named = parts.flatMap(([, , , , to]) => to ?? []);
  return {
    name,
    columns: parts.map(([, , , from]) => `${from}`),
    target,
    targetColumns: named.length > 0 ? named : keyOf(target),
    onDelete: (first?.[5] ?? 'no action') as LiveReference['onDelete'],
    deferrable: false,
  };
}
