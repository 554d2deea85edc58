import { sql } from 'kysely';
import type { Database } from '../foundation/index.ts';
import { publish } from '../notify/index.ts';
import type { StartedInterval } from './reconcile.ts';
import type { MapTables } from './tables.ts';
import { type Alert, type AlertData, distinctAlerts, flowAlert } from './watch-alerts.ts';
import { appearancesOf, type KnownAlert } from './watch-appearances.ts';

/** PostgreSQL takes 65,535 parameters a statement. */
const ROWS_PER_STATEMENT = 5_000;

export interface NoticeFlowsOptions {
  readonly organizationId: string;
  readonly source: string;
  /** What a reading brought that its source had not said before. */
  readonly started: readonly StartedInterval[];
  readonly categoryOf: (dataType: string) => string | undefined;
}

/**
 * Notes sensitive flows that a reading brought, in its transaction: each is told even if it is gone, or this process has
 * ended, before the whole map is looked at. Known ones are left as they are.
 */
export async function noticeFlows(transaction: Database, options: NoticeFlowsOptions): Promise<void> {
  const { source, categoryOf } = options;
  const alerts = options.started.flatMap(({ declaration, firstSeen }) =>
    declaration.kind === 'transmit'
      ? (flowAlert({ declaration, source, since: firstSeen.getTime(), categoryOf }) ?? [])
      : [],
  );
  for (const some of chunks(distinctAlerts(alerts))) {
    await transaction
      .withTables<MapTables>()
      .insertInto('map_alerts')
      .values(some.map((alert) => rowOf(options.organizationId, alert)))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

/** The map as it is now. */
export interface WatchedState {
  /** Another one whenever anything may have changed that is worth telling. */
  readonly version: string;
  alerts(): readonly Alert[];
}

export interface TellAlertsOptions {
  readonly organizationId: string;
  /** Called when it is this server's turn, so that no older look at the map comes after a newer one. */
  readonly look: () => Promise<WatchedState>;
  readonly now: Date;
}

/**
 * Tells what appeared since the last time, by one event for each, and remembers what is gone; all in one transaction.
 * Servers that look at the same time take turns. Returns how many were told, and the state that was looked at.
 */
export async function tellAlerts(
  db: Database,
  options: TellAlertsOptions,
): Promise<{ readonly told: number; readonly state: WatchedState }> {
  const { organizationId, look, now } = options;
  return db.transaction().execute(async (transaction) => {
    await sql`select pg_advisory_xact_lock(hashtext(${`map alerts ${organizationId}`}))`.execute(transaction);
    const known = await readKnown(transaction, organizationId);
    const state = await look();
    const { appeared, returned, gone } = appearancesOf(known, state.alerts(), now);
    for (const some of chunks(appeared)) {
      await transaction
        .withTables<MapTables>()
        .insertInto('map_alerts')
        .values(some.map((alert) => rowOf(organizationId, alert)))
        .onConflict((conflict) =>
          conflict.columns(['organization_id', 'kind', 'subject']).doUpdateSet((update) => ({
            data: update.ref('excluded.data'),
            first_seen: update.ref('excluded.first_seen'),
            gone_at: null,
            told_at: null,
          })),
        )
        .execute();
    }
    await setGone(transaction, organizationId, { alerts: returned, goneAt: null });
    await setGone(transaction, organizationId, { alerts: gone, goneAt: now });
    return { told: await tellUntold(transaction, organizationId, now), state };
  });
}

async function readKnown(transaction: Database, organizationId: string): Promise<readonly KnownAlert[]> {
  const rows = await transaction
    .withTables<MapTables>()
    .selectFrom('map_alerts')
    .select(['kind', 'subject', 'gone_at'])
    .where('organization_id', '=', organizationId)
    .execute();
  return rows.map(({ kind, subject, gone_at: goneAt }) => ({ kind, subject, goneAt }));
}

async function setGone(
  transaction: Database,
  organizationId: string,
  { alerts, goneAt }: { readonly alerts: readonly KnownAlert[]; readonly goneAt: Date | null },
): Promise<void> {
  if (alerts.length === 0) return;
  const kinds = alerts.map(({ kind }) => kind);
  const subjects = alerts.map(({ subject }) => subject);
  await sql`
    update map_alerts as alerts
    set gone_at = ${goneAt}
    from unnest(${kinds}::text[], ${subjects}::text[]) as changed (kind, subject)
    where alerts.organization_id = ${organizationId}
      and alerts.kind = changed.kind
      and alerts.subject = changed.subject`.execute(transaction);
}

async function tellUntold(transaction: Database, organizationId: string, now: Date): Promise<number> {
  const untold = await transaction
    .withTables<MapTables>()
    .updateTable('map_alerts')
    .set({ told_at: now })
    .where('organization_id', '=', organizationId)
    .where('told_at', 'is', null)
    .returning(['kind', 'data'])
    .execute();
  const events = untold.map(({ kind: type, data }) => {
    const parsed: AlertData = JSON.parse(data);
    return { organizationId, type, data: parsed };
  });
  await publish(transaction, events, now);
  return events.length;
}

function rowOf(organizationId: string, { kind, subject, data }: Alert): MapTables['map_alerts'] {
  return {
    organization_id: organizationId,
    kind,
    subject,
    data: JSON.stringify(data),
    first_seen: new Date(data.since),
    gone_at: null,
    told_at: null,
  };
}

function* chunks<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += ROWS_PER_STATEMENT) {
    yield items.slice(from, from + ROWS_PER_STATEMENT);
  }
}
