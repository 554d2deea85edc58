import { sql } from 'kysely';
import type { Database } from '../foundation/index.ts';

/** What was told to teams about the map. */
export async function createAlerts(db: Database): Promise<void> {
  await sql`
    create table map_alerts (
      organization_id text not null,
      kind text not null,
      subject text not null,
      data text not null,
      first_seen timestamptz not null,
      gone_at timestamptz,
      told_at timestamptz,
      primary key (organization_id, kind, subject)
    )`.execute(db);
}
