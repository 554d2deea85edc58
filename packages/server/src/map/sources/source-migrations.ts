import { type Kysely, sql } from 'kysely';

/** What sources remember: see {@link SourceTables}. */
export async function createSourceTables(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table map_carriers (
      organization_id text not null,
      source text not null,
      declaration text not null,
      target text not null,
      primary key (organization_id, source, declaration, target)
    )`.execute(db);
  await sql`
    create table map_targets (
      organization_id text not null,
      source text not null,
      target text not null,
      dropped double precision not null,
      primary key (organization_id, source, target)
    )`.execute(db);
  await sql`
    create table map_carrier_versions (
      organization_id text not null,
      source text not null,
      version bigint not null,
      primary key (organization_id, source)
    )`.execute(db);
  await sql`
    create table map_backfill (
      organization_id text not null,
      source text not null,
      from_at timestamptz not null,
      until_at timestamptz not null check (until_at >= from_at),
      cursor_at timestamptz not null check (cursor_at between from_at and until_at),
      held text not null,
      primary key (organization_id, source)
    )`.execute(db);
  await sql`
    create table map_pushes (
      organization_id text not null,
      source text not null,
      expires_at timestamptz not null,
      primary key (organization_id, source)
    )`.execute(db);
}
