import { SCHEMA } from '../choose-predicate.ts';
import { type FoundObjects, objectKey } from '../read-objects.ts';
import type { Target } from '../target.ts';
import type { MariadbSession } from './mariadb-session.ts';
import { quoteName, quoteText } from './mariadb-text.ts';

interface FoundRow {
  readonly kind: string;
  readonly name: string;
  readonly definition: string | null;
}

const OURS = (column: string) => `(${column} = ${quoteText(SCHEMA)} or ${column} regexp '^purpose_')`;

/** Reads how the server shows what a target may have. Of roles also what everybody may read of the tables of people. */
export async function readMariadbObjects(
  session: MariadbSession,
  { key, tables }: Pick<Target, 'key' | 'tables'>,
): Promise<FoundObjects> {
  // Lists must not be cut off.
  await session.run('set group_concat_max_len = 1073741824');
  const [there] = await session.rows(
    `select 1 from information_schema.tables where table_schema = ${quoteText(SCHEMA)} and table_name = 'purposes'`,
  );
  const prefix = `habeas_${key}_`;
  const found = [
    ...(await session.rows<FoundRow>(foundBy(prefix))),
    ...(there === undefined
      ? []
      : await session.rows<FoundRow>(
          `select 'purpose' as kind, code as name, concat(number, ' ', opt_out) as definition from ${SCHEMA}.purposes`,
        )),
    ...(await readRoles(session, prefix, tables)),
  ];
  return new Map(found.map((row) => [objectKey(row), row.definition ?? '']));
}

/** Sorted, so that the same state is always the same text. What a role of the target itself may do is told of the role. */
const foundBy = (prefix: string) => `
select 'schema' as kind, schema_name as name, concat(default_character_set_name, ' ', default_collation_name, ' ', coalesce((
    select group_concat(concat_ws(' ', grantee, privilege_type, is_grantable) order by 1, privilege_type separator ', ')
    from information_schema.schema_privileges as p where s.schema_name like p.table_schema), '')) as definition
from information_schema.schemata as s where ${OURS('schema_name')}
union all
select case t.table_type when 'VIEW' then 'view' else 'table' end,
  case t.table_type when 'VIEW' then concat(t.table_schema, '.', t.table_name) else t.table_name end,
  concat_ws(' ', t.engine,
    (select concat_ws(' ', v.algorithm, v.security_type, v.definer, v.check_option, v.view_definition) from information_schema.views as v
     where v.table_schema = t.table_schema and v.table_name = t.table_name),
    (select group_concat(concat_ws(' ', column_name, column_type, collation_name, is_nullable, column_default, extra) order by ordinal_position separator ', ')
     from information_schema.columns as c where c.table_schema = t.table_schema and c.table_name = t.table_name),
    (select group_concat(concat_ws(' ', index_name, non_unique, column_name, sub_part) order by index_name, seq_in_index separator ', ')
     from information_schema.statistics as i where i.table_schema = t.table_schema and i.table_name = t.table_name),
    (select group_concat(check_clause order by constraint_name separator ', ')
     from information_schema.check_constraints as k where k.constraint_schema = t.table_schema and k.table_name = t.table_name),
    (select group_concat(concat_ws(' ', trigger_name, action_timing, event_manipulation, action_statement) order by trigger_name separator ', ')
     from information_schema.triggers as g where g.event_object_schema = t.table_schema and g.event_object_table = t.table_name),
    (select group_concat(concat_ws(' ', grantee, privilege_type, is_grantable) order by grantee, privilege_type separator ', ')
     from information_schema.table_privileges as p where p.table_schema = t.table_schema and p.table_name = t.table_name and left(p.grantee, ${prefix.length + 1}) <> ${quoteText(`'${prefix}`)}),
    (select group_concat(concat_ws(' ', grantee, column_name, privilege_type) order by grantee, column_name, privilege_type separator ', ')
     from information_schema.column_privileges as p where p.table_schema = t.table_schema and p.table_name = t.table_name and left(p.grantee, ${prefix.length + 1}) <> ${quoteText(`'${prefix}`)}))
from information_schema.tables as t
where ${OURS('t.table_schema')} and t.table_type <> 'TEMPORARY' and not (t.table_schema = ${quoteText(SCHEMA)} and t.table_name in ('objects', 'given'))
union all
select 'function', concat(routine_schema, '.', routine_name), concat_ws(' ', routine_type, security_type, definer, routine_definition)
from information_schema.routines where ${OURS('routine_schema')}`;

/** What the roles of a target may do, by whatever way, and what everybody may with these tables. */
async function readRoles(
  session: MariadbSession,
  prefix: string,
  tables: Target['tables'],
): Promise<readonly FoundRow[]> {
  const roles = await session.rows<{ name: string }>(
    `select user as name from mysql.user where is_role = 'Y' and left(user, ${prefix.length}) = ${quoteText(prefix)} order by user`,
  );
  if (roles.length === 0) return [];
  const everybody = await readEverybody(session, tables);
  const found: FoundRow[] = [];
  for (const { name } of roles) {
    const granted = await session.rows<Record<string, string>>(`show grants for ${quoteName(name)}`);
    const lines = granted.flatMap((row) => Object.values(row)).toSorted();
    found.push({ kind: 'role', name, definition: [...lines, ...everybody].join('\n') });
  }
  return found;
}

async function readEverybody(session: MariadbSession, tables: Target['tables']): Promise<readonly string[]> {
  const people = tables.filter(({ kind }) => kind === 'protected');
  const schemas = [...new Set([SCHEMA, ...people.map(({ schema }) => schema)])].map(quoteText).join(', ');
  const pairs = people.map(({ schema, name }) => `(${quoteText(schema)}, ${quoteText(name)})`).join(', ');
  const ofPeople = (alias: string) =>
    `(${alias}.table_schema = ${quoteText(SCHEMA)}${pairs === '' ? '' : ` or (${alias}.table_schema, ${alias}.table_name) in (${pairs})`})`;
  const rows = await session.rows<{ line: string }>(
    `select concat_ws(' ', 'EVERYBODY', privilege_type, '*.*') as line from information_schema.user_privileges as p
     where grantee = '''PUBLIC''@''''' and privilege_type <> 'USAGE'
     union select concat_ws(' ', 'EVERYBODY', privilege_type, table_schema) from information_schema.schema_privileges as p
     where grantee = '''PUBLIC''@''''' and exists (select 1 from information_schema.schemata as s where s.schema_name in (${schemas}) and s.schema_name like p.table_schema)
     union select concat_ws(' ', 'EVERYBODY', privilege_type, concat(table_schema, '.', table_name)) from information_schema.table_privileges as p
     where grantee = '''PUBLIC''@''''' and ${ofPeople('p')}
     union select concat_ws(' ', 'EVERYBODY', privilege_type, concat(table_schema, '.', table_name)) from information_schema.column_privileges as p
     where grantee = '''PUBLIC''@''''' and ${ofPeople('p')}
     order by 1`,
  );
  return rows.map(({ line }) => line);
}
