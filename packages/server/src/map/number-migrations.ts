import { sql } from 'kysely';
import type { Database } from '../foundation/index.ts';

/**
 * A number for what each source declares, so that the map of a moment is read from an index alone, as numbers and times:
 * its rows lie all over a million others.
 */
export async function numberDeclarations(db: Database): Promise<void> {
  await sql`
    create table map_declaration_numbers (
      number integer generated always as identity primary key,
      organization_id text not null,
      source text not null,
      declaration text not null,
      unique (organization_id, source, declaration)
    )`.execute(db);
  await sql`alter table map_declarations add column number integer`.execute(db);
  await sql`
    insert into map_declaration_numbers (organization_id, source, declaration)
    select distinct organization_id, source, declaration from map_declarations`.execute(db);
  await sql`drop index map_declarations_ended`.execute(db);
  await sql`
    update map_declarations as declarations
    set number = numbers.number
    from map_declaration_numbers as numbers
    where numbers.organization_id = declarations.organization_id
      and numbers.source = declarations.source
      and numbers.declaration = declarations.declaration`.execute(db);
  await sql`alter table map_declarations alter column number set not null`.execute(db);
  // Whoever writes intervals, a server that knows no numbers too.
  await sql`
    create function map_declarations_number() returns trigger language plpgsql set search_path from current as $$
    begin
      select numbers.number into new.number
      from map_declaration_numbers as numbers
      where numbers.organization_id = new.organization_id
        and numbers.source = new.source
        and numbers.declaration = new.declaration;
      if new.number is null then
        insert into map_declaration_numbers as numbers (organization_id, source, declaration)
        values (new.organization_id, new.source, new.declaration)
        on conflict (organization_id, source, declaration) do update set declaration = excluded.declaration
        returning numbers.number into new.number;
      end if;
      return new;
    end $$`.execute(db);
  await sql`
    create trigger map_declarations_numbered before insert on map_declarations
    for each row when (new.number is null) execute function map_declarations_number()`.execute(db);
  await sql`
    create index map_declarations_ended on map_declarations
    using gist (tstzrange(first_seen, last_seen, '[]')) include (organization_id, number, first_seen, last_seen)
    where last_seen is not null`.execute(db);
}
