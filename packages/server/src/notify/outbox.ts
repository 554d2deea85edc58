import { type Generated, sql } from 'kysely';
import { type Database, HabeasError, kept, newId, textArray } from '../foundation/index.ts';
import { likePattern } from './event-types.ts';
import { registerPublisher } from './outbox-frontier.ts';

/** What happened, for dashboards, webhooks and streams. Ids, counts and states only, never personal data. */
export interface OutboxEvent {
  readonly organizationId: string;
  /** `request.running`, `task.succeeded`, `ticket.opened`, `map.changed`, … */
  readonly type: string;
  /** The request that it belongs to, if any; a stream can be narrowed to it. */
  readonly requestId?: string | undefined;
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
}

export interface StoredEvent extends OutboxEvent {
  readonly id: string;
  readonly sequence: number;
  readonly at: Date;
}

export type OutboxTables = {
  outbox_events: {
    organization_id: string;
    sequence: Generated<number>;
    id: string;
    at: Date;
    type: string;
    request_id: string | null;
    data: string;
  };
};

/** Few enough that no statement is large. */
const ROWS_PER_STATEMENT = 5_000;

/**
 * Stores events in the caller's transaction and wakes listeners when it commits. Numbers are given at once but become
 * visible at commit, in another order; the registration lets readers wait for what is under way (see `outbox-frontier.ts`).
 * Throws INTERNAL outside a transaction, where the registration would end before the event is there.
 */
export async function publish(
  transaction: Database,
  events: readonly OutboxEvent[],
  now: Date,
): Promise<void> {
  if (events.length === 0) return;
  if (!transaction.isTransaction) {
    throw new HabeasError('INTERNAL', 'An event was published outside the transaction of its change.');
  }
  for (let start = 0; start < events.length; start += ROWS_PER_STATEMENT)
    await insert(transaction, events.slice(start, start + ROWS_PER_STATEMENT), now);
}

/** The frontier has to know of this transaction before the first number is taken: the join needs `registered` first. */
async function insert(transaction: Database, events: readonly OutboxEvent[], now: Date): Promise<void> {
  await sql`${kept}
    with registered as materialized (${registerPublisher})
    insert into outbox_events (organization_id, id, at, type, request_id, data)
    select e.organization_id, e.id, ${now}::timestamptz, e.type, e.request_id, e.data
    from registered, unnest(
      ${textArray(events.map(({ organizationId }) => organizationId))}::text[],
      ${textArray(events.map(() => newId('evt', now)))}::text[],
      ${textArray(events.map(({ type }) => type))}::text[],
      ${textArray(events.map(({ requestId }) => requestId ?? null))}::text[],
      ${textArray(events.map(({ data }) => JSON.stringify(data)))}::text[]
    ) as e (organization_id, id, type, request_id, data)`.execute(transaction);
}

export interface ReadEventsOptions {
  readonly organizationId: string;
  readonly requestId?: string | undefined;
  /** Events with a greater sequence, oldest first. */
  readonly after: number;
  /** Events up to this sequence, which must be settled: beyond it, one that is still under way could be passed over. */
  readonly upTo: number;
  /** Only events whose type fits one of these: exact, `map.*`, or `*`. (Default: all) */
  readonly types?: readonly string[] | undefined;
  /** Most events of one answer. (Default: 500) */
  readonly limit?: number;
}

export async function readEvents(db: Database, options: ReadEventsOptions): Promise<readonly StoredEvent[]> {
  let query = db
    .withTables<OutboxTables>()
    .selectFrom('outbox_events')
    .select(['organization_id', 'sequence', 'id', 'at', 'type', 'request_id', 'data'])
    .where('organization_id', '=', options.organizationId)
    .where('sequence', '>', options.after)
    .where('sequence', '<=', options.upTo)
    .orderBy('sequence')
    .limit(options.limit ?? 500);
  if (options.requestId !== undefined) query = query.where('request_id', '=', options.requestId);
  const { types } = options;
  if (types !== undefined)
    query = query.where((where) => where.or(types.map((type) => where('type', 'like', likePattern(type)))));
  const rows = await query.execute();
  return rows.map((row) => ({
    organizationId: row.organization_id,
    sequence: row.sequence,
    id: row.id,
    at: row.at,
    type: row.type,
    requestId: row.request_id ?? undefined,
    data: JSON.parse(row.data),
  }));
}

/** How long the stream can be followed again from an event on. */
const KEPT_MILLISECONDS = 90 * 86_400_000;
const PRUNED_AT_ONCE = 10_000;

/** Removes events that are older than 90 days, a limited number at once. What happened stays in the audit log. */
export async function pruneEvents(db: Database, organizationId: string, now: Date): Promise<void> {
  const tables = db.withTables<OutboxTables>();
  await tables
    .deleteFrom('outbox_events')
    .where('organization_id', '=', organizationId)
    .where('at', '<', new Date(now.getTime() - KEPT_MILLISECONDS))
    .where('sequence', 'in', (old) =>
      old
        .selectFrom('outbox_events')
        .select('sequence')
        .where('organization_id', '=', organizationId)
        .orderBy('sequence')
        .limit(PRUNED_AT_ONCE),
    )
    .execute();
}
