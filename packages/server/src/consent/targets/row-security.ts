import { identifierText } from '../enforce/index.ts';
import { canBeUnknown, composedText, identityText, SCHEMA, signaturesTable } from './choose-predicate.ts';
import type { ProtectedTable, Target } from './target.ts';
import { roleOf, type TargetObject } from './target-object.ts';

/** The setting by which a session of the role says for which purpose it reads. */
export const PURPOSE_SETTING = 'habeas.purpose';

/** A role that reads the tables themselves, in which policies hide the rows of people who did not agree; everybody else sees what they saw. */
export function rowSecurityObjects(target: Target): readonly TargetObject[] {
  const name = roleOf(target, 'rows');
  const role = identifierText(name);
  const types = new Set(target.tables.flatMap((one) => (one.kind === 'protected' ? [one.identity] : [])));
  return [
    {
      kind: 'role',
      name,
      create: [
        `do $$ begin if not exists (select from pg_catalog.pg_roles where rolname = '${name}') then create role ${role} nologin; end if; end $$`,
        `alter role ${role} nosuperuser nobypassrls nocreaterole nocreatedb noreplication`,
        `grant usage on schema ${SCHEMA} to ${role}`,
        `grant select on ${SCHEMA}.purposes, ${SCHEMA}.filled, ${SCHEMA}.bitmaps to ${role}`,
        ...[...types].map(
          (type) => `grant select (identity, granted, denied) on ${signaturesTable(type)} to ${role}`,
        ),
      ],
      drop: [`drop owned by ${role}`, `drop role if exists ${role}`],
    },
    ...target.tables.flatMap((one) => (one.kind === 'protected' ? [tableSecurity(one, role)] : [])),
  ];
}

function tableSecurity(table: ProtectedTable, role: string): TargetObject {
  const name = `${identifierText(table.schema)}.${identifierText(table.name)}`;
  return {
    kind: 'row security',
    name: `${table.schema}.${table.name}`,
    create: [
      `create policy habeas_others on ${name} as permissive for all to public using (true) with check (true)`,
      `create policy habeas_purpose on ${name} as restrictive for select to ${role} using (${policyOf(table)})`,
      `alter table ${name} enable row level security`,
      `grant usage on schema ${identifierText(table.schema)} to ${role}`,
      `grant select on ${name} to ${role}`,
    ],
    drop: [
      `revoke select on ${name} from ${role}`,
      `alter table ${name} disable row level security`,
      `drop policy if exists habeas_others on ${name}`,
      `drop policy if exists habeas_purpose on ${name}`,
    ],
  };
}

/** The condition for whatever purpose the session names; false for none, for one that is not known, and before the first sync. */
function policyOf(table: ProtectedTable): string {
  const one = (what: string) =>
    `(select ${what} from ${SCHEMA}.filled as f join ${SCHEMA}.purposes as p on p.number = f.purpose where f.type = '${table.identity}' and p.code = pg_catalog.current_setting('${PURPOSE_SETTING}', true))`;
  const optOut = one('p.opt_out');
  const composed = composedText(table);
  const isAmong = (text: string, word: string) =>
    `(${text} in (select s.identity from ${signaturesTable(table.identity)} as s where (s.${word} & ${one('1::bigint << p.number')}) <> 0)) is true`;
  const said = (word: string) => {
    const asWritten = isAmong(identityText(table), word);
    if (composed === undefined) return asWritten;
    return `case when ${asWritten} then true when ${composed.differs} then ${isAmong(composed.text, word)} else false end`;
  };
  const byText = `case ${optOut} when true then not (${said('denied')}) when false then ${said('granted')} else false end`;
  if (table.key === undefined) return byText;
  const key = identifierText(table.key);
  const bits = `(select pg_catalog.string_agg(bits, ''::bytea order by chunk) from ${SCHEMA}.bitmaps where type = '${table.identity}' and purpose = ${one('p.number')})`;
  const unnumbered = table.key === table.column ? '' : `when ${key} is null then ${byText} `;
  return `case when ${key} >= 0 and ${key} < ${one('f.covered')} then pg_catalog.get_bit(${bits}, ${key}) <> ${one('p.opt_out::integer')} ${unnumbered}else coalesce(${optOut}, false) and ${canBeUnknown(key)} end`;
}
