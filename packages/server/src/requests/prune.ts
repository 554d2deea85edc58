import { sql } from 'kysely';
import type { Database } from '../foundation/index.ts';
import { pruneEvents } from '../notify/index.ts';
import { pruneReports } from './reports.ts';

/** Datasets that no plan froze for this long are of use only to requests that go on: what ended in them may be done anew. */
const UNUSED_MILLISECONDS = 90 * 86_400_000;

/** A download that was begun at the last moment of its link may be gone on with for a day. */
const LINK_MILLISECONDS = 2 * 86_400_000;

/** Removes what nobody can need any more, so that the tables of a busy year are not those of ten. */
export async function prune(db: Database, organizationId: string, now: Date): Promise<void> {
  await pruneEvents(db, organizationId, now);
  await sql`
    delete from package_links
    where organization_id = ${organizationId} and expires_at < ${new Date(now.getTime() - LINK_MILLISECONDS)}`.execute(
    db,
  );
  await pruneReports(db, organizationId, now);
  await sql`
    delete from plan_inputs as i
    where i.organization_id = ${organizationId} and i.used_at < ${new Date(now.getTime() - UNUSED_MILLISECONDS)}
      and not exists (
        select from tasks t
        join requests r on r.organization_id = t.organization_id and r.id = t.request_id
        where t.organization_id = i.organization_id and t.inputs = i.hash
          and r.state not in ('completed', 'rejected', 'cancelled', 'expired')
      )`.execute(db);
}
