import { type Database, HabeasError } from '../foundation/index.ts';
import { recordClient } from './clients.ts';
import type { DecideClientOptions } from './data-map.ts';
import type { MapTables } from './tables.ts';

/** A person's decision, with its audit entry and event. What the same person decided before changes nothing. Throws NOT_FOUND. */
export async function decideClient(
  db: Database,
  options: DecideClientOptions & { readonly organizationId: string; readonly now: Date },
): Promise<void> {
  const { organizationId, now, id, decision, actor, reason } = options;
  await db.transaction().execute(async (transaction) => {
    const tables = transaction.withTables<MapTables>();
    const client = await tables
      .selectFrom('map_clients')
      .select(['id', 'team', 'service', 'address', 'protocol', 'state', 'decided_by'])
      .where('organization_id', '=', organizationId)
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst();
    if (client === undefined) throw new HabeasError('NOT_FOUND', `There is no client ${id}.`);
    if (client.state === decision && client.decided_by === actor) return;
    await tables
      .updateTable('map_clients')
      .set({ state: decision, decided_by: actor, decided_at: now, reason: reason ?? null })
      .where('organization_id', '=', organizationId)
      .where('id', '=', id)
      .execute();
    await recordClient(transaction, {
      organizationId,
      now,
      actor,
      action: `client.${decision}`,
      client,
      reason,
    });
  });
}
