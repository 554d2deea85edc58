import { identifierText } from '../enforce/index.ts';
import { choosePredicate, type NumberedPurpose, SCHEMA, signaturesTable } from './choose-predicate.ts';
import { rowSecurityObjects } from './row-security.ts';
import { identityTypes, type Target, type TargetTable, viewName } from './target.ts';
import { roleOf, type TargetObject, viewSchema } from './target-object.ts';

/** Keys of one chunk of a bitmap: 2,000 bytes, so that four chunks share a page and a change writes one of them. */
export const KEYS_PER_CHUNK = 16_000;

/** Holds what was made and how the database shows it, so that what somebody changed is found. */
export const OBJECTS_TABLE = `create table if not exists ${SCHEMA}.objects (
  place integer not null, kind text not null, name text not null, wanted text not null, found text not null, dropped text[] not null, primary key (kind, name))`;

/** All that the target must have, in the order in which it can be made. */
export function targetObjects(
  target: Target,
  purposes: readonly NumberedPurpose[],
  functions: readonly TargetObject[],
): readonly TargetObject[] {
  return [
    { kind: 'schema', name: SCHEMA, create: [`create schema if not exists ${SCHEMA}`], drop: [] },
    ...stateTables(),
    ...functions,
    ...identityTypes(target).map((type) => signatures(type, target, purposes)),
    ...purposes.map(purposeObject),
    ...purposes.flatMap((purpose) => viewObjects(target, purpose)),
    ...(target.rowSecurity ? rowSecurityObjects(target) : []),
  ];
}

function stateTables(): readonly TargetObject[] {
  const table = (name: string, columns: string, more: readonly string[] = []): TargetObject => ({
    kind: 'table',
    name,
    create: [`create table ${SCHEMA}.${name} (${columns})`, ...more],
    drop: [`drop table if exists ${SCHEMA}.${name}`],
  });
  return [
    table(
      'installed',
      'one boolean primary key default true check (one), organization text not null, snapshot text, as_of timestamptz',
    ),
    table(
      'purposes',
      'number smallint primary key check (number between 0 and 62), code text not null unique, opt_out boolean not null',
    ),
    table(
      'filled',
      'type text not null, purpose smallint not null, covered integer not null, primary key (type, purpose)',
    ),
    table(
      'bitmaps',
      'type text not null, purpose smallint not null, chunk integer not null, bits bytea not null, primary key (type, purpose, chunk)',
      [`alter table ${SCHEMA}.bitmaps alter bits set storage plain`],
    ),
  ];
}

/** What people with identities of one type said: purposes granted and denied, a bit each. */
function signatures(
  type: string,
  { numbers }: Pick<Target, 'numbers'>,
  purposes: readonly NumberedPurpose[],
): TargetObject {
  const table = signaturesTable(type);
  const isNumber = numbers.has(type);
  const key = isNumber ? '' : ' generated always as identity (minvalue 0 start 0)';
  const create = [
    `create table ${table} (identity text primary key, key integer${key} not null unique,
        granted bigint not null, denied bigint not null, check (granted & denied = 0)) with (fillfactor = 85)`,
    // A hash of those who agreed, or refused, is made from the index alone.
    ...purposes.map(
      ({ number, optOut }) =>
        `create index on ${table} (identity) where (${optOut ? 'denied' : 'granted'} & ${1n << BigInt(number)}) <> 0`,
    ),
  ];
  const drop = [`drop table if exists ${table}`, `delete from ${SCHEMA}.filled where type = '${type}'`];
  const replace = isNumber ? {} : { replace: [...keepKeys(table), ...drop, ...create, ...giveKeys(table)] };
  return { kind: 'table', name: `signatures_${type}`, create, drop, ...replace };
}

/**
 * Rows of the target's own tables have people's numbers: each has to stay that of its person, and none may be given again. What they said comes with
 * the next sync, and until then nobody is seen.
 */
function keepKeys(table: string): readonly string[] {
  return [
    'create temporary table habeas_keys (identity text, key integer, next bigint) on commit drop',
    `do $$ declare numbers text; begin
       if pg_catalog.to_regclass('${table}') is null then return; end if;
       insert into pg_temp.habeas_keys select identity, key, null from ${table};
       numbers := pg_catalog.pg_get_serial_sequence('${table}', 'key');
       if numbers is not null then execute 'insert into pg_temp.habeas_keys select null, null, last_value + is_called::integer from ' || numbers; end if;
     exception when undefined_column then null;
     end $$`,
  ];
}

function giveKeys(table: string): readonly string[] {
  return [
    `insert into ${table} (identity, key, granted, denied) overriding system value
     select identity, key, 0, 0 from pg_temp.habeas_keys where identity is not null and key is not null`,
    `select pg_catalog.setval(pg_catalog.pg_get_serial_sequence('${table}', 'key'),
       (select greatest(0, max(key) + 1, max(next)) from pg_temp.habeas_keys), false)`,
    'drop table pg_temp.habeas_keys',
  ];
}

/** Whether a purpose is allowed by default decides what its bits mean: with another one they are made anew. */
function purposeObject({ code, number, optOut }: NumberedPurpose): TargetObject {
  return {
    kind: 'purpose',
    name: code,
    create: [
      `delete from ${SCHEMA}.filled where purpose = ${number}`,
      `insert into ${SCHEMA}.purposes (number, code, opt_out) values (${number}, '${code}', ${optOut})
       on conflict (number) do update set opt_out = excluded.opt_out`,
    ],
    drop: [`delete from ${SCHEMA}.filled where purpose = ${number}`],
  };
}

/** A schema in which every table has its own name, and a role that reads these and nothing else. */
function viewObjects(target: Target, purpose: NumberedPurpose): readonly TargetObject[] {
  const schema = viewSchema(purpose);
  const role = identifierText(roleOf(target, purpose.code));
  return [
    {
      kind: 'role',
      name: roleOf(target, purpose.code),
      create: [
        `do $$ begin if not exists (select from pg_catalog.pg_roles where rolname = '${roleOf(target, purpose.code)}') then create role ${role} nologin; end if; end $$`,
        `alter role ${role} nosuperuser nobypassrls nocreaterole nocreatedb noreplication`,
        ...target.tables.map(
          ({ schema, name }) =>
            `revoke all on ${identifierText(schema)}.${identifierText(name)} from ${role}`,
        ),
      ],
      drop: [`drop owned by ${role}`, `drop role if exists ${role}`],
    },
    {
      kind: 'schema',
      name: schema,
      create: [`create schema if not exists ${schema}`, `grant usage on schema ${schema} to ${role}`],
      drop: [`drop schema if exists ${schema} restrict`],
    },
    ...target.tables.map((table): TargetObject => {
      const name = viewName(target, table);
      const view = `${schema}.${identifierText(name)}`;
      return {
        kind: 'view',
        name: `${schema}.${name}`,
        create: [
          `create view ${view} with (security_barrier) as ${viewQuery(table, purpose)}`,
          `grant select on ${view} to ${role}`,
        ],
        drop: [`drop view if exists ${view}`],
      };
    }),
  ];
}

function viewQuery(table: TargetTable, purpose: NumberedPurpose): string {
  const from = `select habeas_row.* from ${identifierText(table.schema)}.${identifierText(table.name)} as habeas_row`;
  return table.kind === 'open' ? from : `${from}${choosePredicate(table, purpose).narrowed('habeas_row')}`;
}
