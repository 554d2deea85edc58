import { sql } from 'kysely';
import type { Database } from '../foundation/index.ts';

/** What people decided about gaps. */
export async function createGapDecisions(db: Database): Promise<void> {
  await sql`
    create table map_gap_decisions (
      organization_id text not null,
      id text not null,
      kind text not null,
      service text,
      team text,
      data_type text,
      decision text not null check (decision in ('approved', 'rejected')),
      category text check (category is null or (decision = 'approved' and data_type is not null)),
      reason text not null,
      decided_by text not null,
      decided_at timestamptz not null,
      primary key (organization_id, id)
    )`.execute(db);
  await sql`alter table map_clients add column reason text`.execute(db);
}
