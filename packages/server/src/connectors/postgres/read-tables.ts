import {
  fieldShape,
  type LiveColumn,
  type LiveElement,
  type LiveReference,
  type LiveTable,
  type SqlTransaction,
  type Text,
  type TextRow,
} from '../sql/index.ts';

/** Tables without views; a partitioned table is one table, and its partitions are none. */
const TABLES = `
  select c.oid::text, n.nspname, c.relname,
         case when c.relkind = 'p'
           then (select sum(nullif(p.reltuples, -1))::bigint
                   from pg_partition_tree(c.oid) t join pg_class p on p.oid = t.relid where t.isleaf)
           else nullif(c.reltuples, -1)::bigint end,
         has_table_privilege(c.oid, 'select'), has_table_privilege(c.oid, 'update'),
         has_table_privilege(c.oid, 'delete'), row_security_active(c.oid),
         has_schema_privilege(n.oid, 'usage')
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p') and not c.relispartition
     and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_%'
   order by n.nspname, c.relname`;

/** The type that a domain is of, which may be one of another domain; any other type itself. */
const baseOf = (type: string) => `case when ${type}.typtype <> 'd' then ${type}.oid else (
  with recursive d as (
    select ${type}.typbasetype as base
    union all
    select y.typbasetype from d join pg_type y on y.oid = d.base and y.typtype = 'd')
  select base from d where not exists (select 1 from pg_type y where y.oid = d.base and y.typtype = 'd')) end`;

const COLUMNS = `
  select a.attrelid::text, a.attname, format_type(a.atttypid, a.atttypmod),
         format_type(b.oid, null),
         t.typcategory, a.attnotnull or t.typnotnull,
         case when b.oid in ('varchar'::regtype, 'bpchar'::regtype)
           then nullif(case when t.typbasetype <> 0 then t.typtypmod else a.atttypmod end, -1) - 4 end,
         case when a.attgenerated <> '' then 'stored' when a.attidentity = 'a' then 'always'
              when a.attidentity = 'd' then 'by default' else 'no' end,
         format_type(${baseOf('e')}, null),
         e.typcategory
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    join pg_type t on t.oid = a.atttypid
    join pg_type b on b.oid = ${baseOf('t')}
    left join pg_type e on e.oid = b.typelem and t.typcategory = 'A'
   where c.oid = any($1::oid[]) and a.attnum > 0 and not a.attisdropped
   order by a.attrelid, a.attnum`;

/** Unique indexes over plain columns and all rows, the primary key first. */
const KEYS = `
  select i.indrelid::text, i.indisprimary,
         (select json_agg(a.attname order by k.position)
            from unnest(i.indkey::int2[]) with ordinality k(attnum, position)
            join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
           where k.position <= i.indnkeyatts)
    from pg_index i
   where i.indrelid = any($1::oid[]) and i.indisunique and i.indisvalid and i.indimmediate
     and i.indpred is null and i.indexprs is null
   order by i.indrelid, i.indisprimary desc, i.indnkeyatts, i.indexrelid`;

const REFERENCES = `
  select r.conrelid::text, r.conname, r.confrelid::text, r.confdeltype, r.condeferrable,
         (select json_agg(a.attname order by k.position)
            from unnest(r.conkey) with ordinality k(attnum, position)
            join pg_attribute a on a.attrelid = r.conrelid and a.attnum = k.attnum),
         (select json_agg(a.attname order by k.position)
            from unnest(r.confkey) with ordinality k(attnum, position)
            join pg_attribute a on a.attrelid = r.confrelid and a.attnum = k.attnum)
    from pg_constraint r
   where r.contype = 'f' and r.conparentid = 0 and r.conrelid = any($1::oid[])
   order by r.conrelid, r.conname`;

const ON_DELETE: Readonly<Record<string, LiveReference['onDelete']>> = {
  a: 'no action',
  r: 'restrict',
  c: 'cascade',
  n: 'set null',
  d: 'set default',
};

/** Reads the live schema from the catalog, without reading a row of data. By shape name: `table`, or `schema.table`. */
export async function readTables(transaction: SqlTransaction): Promise<ReadonlyMap<string, LiveTable>> {
  const tables = await transaction.rows(TABLES);
  const oids = [tables.map((row) => row[0])];
  const columns = groupByFirst(await transaction.rows(COLUMNS, oids));
  const keys = groupByFirst(await transaction.rows(KEYS, oids));
  const references = groupByFirst(await transaction.rows(REFERENCES, oids));
  const names = new Map(tables.map(([oid, schema, table]) => [oid, shapeName(`${schema}`, `${table}`)]));
  return new Map(
    tables.map(
      ([oid = null, schema, table, estimate, select, update, remove, hidden, usage]): [string, LiveTable] => {
        const name = shapeName(`${schema}`, `${table}`);
        const live = (columns.get(oid) ?? []).map(toColumn);
        const unique = (keys.get(oid) ?? []).map(([, primary, list]) => ({
          primary: primary === 't',
          columns: namesIn(list),
        }));
        const outgoing = (references.get(oid) ?? []).flatMap((row) => toReference(row, names));
        return [
          name,
          {
            shape: {
              name,
              fields: live.map(fieldShape),
              primaryKey: unique.find((key) => key.primary)?.columns ?? [],
              uniqueKeys: unique.filter((key) => !key.primary).map((key) => key.columns),
              references: outgoing.map(({ deferrable: _, ...shape }) => shape),
              rowEstimate: estimate === null || estimate === undefined ? null : Number(estimate),
            },
            schema: `${schema}`,
            table: `${table}`,
            columns: new Map(live.map((column) => [column.name, column])),
            references: outgoing,
            privileges: { select: select === 't', update: update === 't', delete: remove === 't' },
            rowsHidden: hidden === 't',
            unfit:
              usage === 't'
                ? undefined
                : `This user may not use the schema "${schema}", in which the table "${table}" lies: grant it usage on the schema.`,
          },
        ];
      },
    ),
  );
}

function shapeName(schema: string, table: string): string {
  return schema === 'public' ? table : `${schema}.${table}`;
}

function toColumn(row: TextRow): LiveColumn {
  const [, name, type, baseType, category, notNull, length, generated, element, elementCategory] = row;
  return {
    name: `${name}`,
    type: `${type}`,
    baseType: `${baseType}`,
    category: `${category}`,
    notNull: notNull === 't',
    length: length === null || length === undefined ? null : Number(length),
    generated:
      generated === 'stored' || generated === 'always' || generated === 'by default' ? generated : 'no',
    element: element == null ? undefined : elementOf(`${element}`, `${elementCategory}`),
  };
}

function elementOf(type: string, category: string): LiveElement {
  return {
    column: {
      name: 'element',
      type,
      baseType: type,
      category,
      notNull: false,
      length: null,
      generated: 'no',
    },
    rows: (at, alias) => `unnest(${at}) ${alias}(v)`,
    value: (alias) => `${alias}.v`,
  };
}

function toReference(row: TextRow, names: ReadonlyMap<Text | undefined, string>): readonly LiveReference[] {
  const [, name, targetOid, onDelete, deferrable, columns, targetColumns] = row;
  const target = names.get(targetOid);
  if (target === undefined) return [];
  return [
    {
      name: `${name}`,
      columns: namesIn(columns),
      target,
      targetColumns: namesIn(targetColumns),
      onDelete: ON_DELETE[`${onDelete}`] ?? 'no action',
      deferrable: deferrable === 't',
    },
  ];
}

function namesIn(json: Text | undefined): readonly string[] {
  return json === null || json === undefined ? [] : (JSON.parse(json) as string[]);
}

function groupByFirst(rows: readonly TextRow[]): ReadonlyMap<Text, readonly TextRow[]> {
  const groups = new Map<Text, TextRow[]>();
  for (const row of rows) {
    const first = row[0] ?? null;
    const group = groups.get(first);
    if (group === undefined) groups.set(first, [row]);
    else group.push(row);
  }
  return groups;
}
