import { type NumberedPurpose, SCHEMA } from '../choose-predicate.ts';
import { identityTypes, type Target, type TargetTable, viewName } from '../target.ts';
import { roleOf, type TargetObject, viewSchema } from '../target-object.ts';
import type { MariadbColumn } from './mariadb-column.ts';
import { LONGEST_IDENTITY, mariadbNarrowed } from './mariadb-predicate.ts';
import { EXACT, quoteName, quoteText } from './mariadb-text.ts';

/** Finds the column that rows of a table name people by. */
export type FindColumn = (table: TargetTable) => MariadbColumn;

/** Holds what was made and how the database showed it, so that what somebody changed is found. */
export const OBJECTS_TABLE = `create table if not exists ${SCHEMA}.objects (
  place int not null, kind varchar(20) ${EXACT} not null, name varchar(200) ${EXACT} not null, wanted longtext ${EXACT} not null,
  found longtext ${EXACT} not null, dropped longtext ${EXACT} not null, primary key (kind, name)) engine=InnoDB`;

/** All that the target must have, in the order in which it can be made. Each statement can be done again: MariaDB takes none of them back. */
export function mariadbObjects(
  target: Target,
  purposes: readonly NumberedPurpose[],
  columnOf: FindColumn,
): readonly TargetObject[] {
  return [
    {
      kind: 'schema',
      name: SCHEMA,
      create: [`create database if not exists ${SCHEMA} character set utf8mb4 collate utf8mb4_nopad_bin`],
      drop: [],
    },
    ...stateTables(),
    ...identityTypes(target).map((type) => signatures(type, target)),
    ...purposes.map(purposeObject),
    ...purposes.flatMap((purpose) => [
      schemaObject(purpose),
      ...target.tables.map((table) => viewObject(target, table, { purpose, columnOf })),
      roleObject(target, purpose),
    ]),
  ];
}

function stateTables(): readonly TargetObject[] {
  const table = (name: string, columns: string): TargetObject => ({
    kind: 'table',
    name,
    create: [`create or replace table ${SCHEMA}.${name} (${columns}) engine=InnoDB`],
    drop: [],
  });
  return [
    table(
      'installed',
      `one tinyint not null primary key check (one = 1), organization varchar(200) ${EXACT} not null, snapshot longtext ${EXACT}, as_of datetime(6)`,
    ),
    table(
      'purposes',
      `number tinyint not null primary key check (number between 0 and 62), code varchar(63) ${EXACT} not null unique, opt_out boolean not null`,
    ),
    table(
      'filled',
      `type varchar(31) ${EXACT} not null, purpose tinyint not null, primary key (type, purpose)`,
    ),
  ];
}

/** What people with identities of one type said: purposes granted and denied, a bit each. */
function signatures(type: string, { numbers }: Pick<Target, 'numbers'>): TargetObject {
  const table = `${SCHEMA}.${quoteName(`signatures_${type}`)}`;
  const numbered = numbers.has(type) ? '' : ' auto_increment';
  const forget = `delete from ${SCHEMA}.filled where type = ${quoteText(type)}`;
  const columns = `(identity varchar(${LONGEST_IDENTITY}) ${EXACT} not null primary key,
        number bigint not null${numbered} unique, granted bigint not null, denied bigint not null, check (granted & denied = 0)) engine=InnoDB`;
  const create = [forget, `create or replace table ${table} ${columns}`];
  const kept = `${SCHEMA}.${quoteName(`numbers_${type}`)}`;
  // Rows of the target's own tables have people's numbers: each has to stay that of its person. What they said comes with the next sync.
  const replace = [
    `create table if not exists ${table} ${columns}`,
    `create or replace table ${kept} as select identity, number from ${table}`,
    ...create,
    `insert into ${table} (identity, number, granted, denied) select identity, number, 0, 0 from ${kept}`,
    `drop table ${kept}`,
  ];
  return {
    kind: 'table',
    name: `signatures_${type}`,
    create,
    drop: [forget, `drop table if exists ${table}`],
    ...(numbers.has(type) ? {} : { replace }),
  };
}

/** Whether a purpose is allowed by default decides what is seen of it: with another one, nothing is until the next sync. */
function purposeObject({ code, number, optOut }: NumberedPurpose): TargetObject {
  const forget = `delete from ${SCHEMA}.filled where purpose = ${number}`;
  return {
    kind: 'purpose',
    name: code,
    create: [
      forget,
      `insert into ${SCHEMA}.purposes (number, code, opt_out) values (${number}, ${quoteText(code)}, ${optOut})
       on duplicate key update opt_out = ${optOut}`,
    ],
    drop: [forget],
  };
}

/** A database in which every table has its own name. It is removed only when nothing is left in it. */
function schemaObject({ code }: NumberedPurpose): TargetObject {
  const name = viewSchema({ code });
  return {
    kind: 'schema',
    name,
    create: [`create database if not exists ${quoteName(name)} character set utf8mb4`],
    drop: [
      `begin not atomic if exists (select 1 from information_schema.tables where table_schema = ${quoteText(name)})
       then signal sqlstate '45000' set message_text = 'something is left in a database that was to be removed';
       else drop database if exists ${quoteName(name)}; end if; end`,
    ],
  };
}

function viewObject(
  target: Target,
  table: TargetTable,
  { purpose, columnOf }: { readonly purpose: NumberedPurpose; readonly columnOf: FindColumn },
): TargetObject {
  const [schema, name] = [viewSchema(purpose), viewName(target, table)];
  const view = `${quoteName(schema)}.${quoteName(name)}`;
  return {
    kind: 'view',
    name: `${schema}.${name}`,
    create: [
      `create or replace algorithm=merge sql security definer view ${view} as ${viewQuery(table, purpose, columnOf)}`,
    ],
    drop: [`drop view if exists ${view}`],
  };
}

function viewQuery(table: TargetTable, purpose: NumberedPurpose, columnOf: FindColumn): string {
  const from = `select habeas_row.* from ${quoteName(table.schema)}.${quoteName(table.name)} as habeas_row`;
  if (table.kind === 'open') return from;
  return `${from} ${mariadbNarrowed(table, { purpose, column: columnOf(table), alias: 'habeas_row' })}`;
}

/** Reads the views of its purpose and nothing else. Whoever has it keeps it while it is put right. */
function roleObject(target: Target, { code }: NumberedPurpose): TargetObject {
  const name = roleOf(target, code);
  const role = quoteName(name);
  const schemas = [...new Set(target.tables.map(({ schema }) => schema))];
  const places = [
    ...schemas.map((schema) => `${quoteName(schema)}.*`),
    ...target.tables.map((table) => `${quoteName(table.schema)}.${quoteName(table.name)}`),
    `${SCHEMA}.*`,
    ...[
      'installed',
      'purposes',
      'filled',
      'objects',
      ...identityTypes(target).map((type) => `signatures_${type}`),
    ].map((name) => `${SCHEMA}.${quoteName(name)}`),
  ];
  return {
    kind: 'role',
    name,
    create: [
      `create role if not exists ${role}`,
      // What was never granted cannot be revoked: errors 1141 and 1147 of MariaDB.
      `begin not atomic declare continue handler for 1141, 1147 begin end;
${places.map((place) => `  revoke select on ${place} from ${role};`).join('\n')} end`,
      ...target.tables.map(
        (table) =>
          `grant select on ${quoteName(viewSchema({ code }))}.${quoteName(viewName(target, table))} to ${role}`,
      ),
    ],
    drop: [`drop role if exists ${role}`],
  };
}
