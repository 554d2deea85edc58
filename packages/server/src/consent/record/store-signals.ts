import { type RawBuilder, sql } from 'kysely';
import { type Database, int4Array, int8Array, textArray, timestamptzArray } from '../../foundation/index.ts';
import type { Accepted, NoticeSeen, Outcome } from './signal.ts';

export interface StoreOptions {
  readonly organizationId: string;
  readonly now: Date;
  readonly prepared: PreparedSignals;
  /** Of each. */
  readonly subjects: readonly number[];
}

/** What of signals can be written down before it is known whose they are. */
export interface PreparedSignals {
  readonly accepted: readonly Accepted[];
  readonly columns: RawBuilder<unknown>;
  /** Whether an id stands twice among them. */
  readonly twice: boolean;
}

export function prepareSignals(accepted: readonly Accepted[]): PreparedSignals {
  const ids = accepted.map(({ eventId }) => eventId);
  const notices = accepted.map(({ notice }) => (notice === undefined ? null : JSON.stringify(notice)));
  const columns = sql`${textArray(ids)}::text[], ${timestamptzArray(accepted.map(({ at }) => at))}::timestamptz[],
    ${int8Array(accepted.map(({ mask }) => mask))}::bigint[], ${int8Array(accepted.map(({ value }) => value))}::bigint[],
    ${textArray(accepted.map(({ source }) => source))}::text[], ${textArray(notices)}::text[]`;
  return { accepted, columns, twice: new Set(ids).size < ids.length };
}

/** PostgreSQL's code of a key that is there already. */
const UNIQUE_VIOLATION = '23505';

/**
 * Adds signals to the history, and tells what became of each. An id is stored once, also when it stands twice among them. Most of the time
 * all of them are new, so they are inserted as if they were: looking for each id first would take PostgreSQL half as long again.
 */
export async function storeSignals(
  transaction: Database,
  options: StoreOptions,
): Promise<readonly Outcome[]> {
  const { prepared } = options;
  if (!prepared.twice) {
    await sql`savepoint consent_signals`.execute(transaction);
    try {
      await insertOf(options).execute(transaction);
      return prepared.accepted.map(() => 'stored');
    } catch (error) {
      if ((error as { code?: string }).code !== UNIQUE_VIOLATION) throw error;
      await sql`rollback to savepoint consent_signals`.execute(transaction);
    }
  }
  const { rows } = await sql<{ event_id: string }>`
    ${insertOf(options)} on conflict do nothing returning event_id`.execute(transaction);
  return tellApart(transaction, options, new Set(rows.map((row) => row.event_id)));
}

function insertOf({ organizationId, now, prepared, subjects }: StoreOptions): RawBuilder<unknown> {
  return sql`
    insert into consent_signals (organization_id, event_id, subject, said_at, received_at, mask, value, source, notice)
    select ${organizationId}, event_id, subject, said_at, ${now}, mask, value, source, notice::jsonb
    from unnest(${int4Array(subjects)}::integer[], ${prepared.columns})
      as fresh(subject, event_id, said_at, mask, value, source, notice)`;
}

interface StoredRow {
  readonly event_id: string;
  readonly subject: number;
  readonly at: number;
  readonly mask: number | string;
  readonly value: number | string;
  readonly source: string;
  readonly notice: NoticeSeen | null;
}

/** An id that was used before for something else is no repetition: somebody would believe that it was stored. */
async function tellApart(
  transaction: Database,
  { organizationId, prepared: { accepted }, subjects }: StoreOptions,
  stored: Set<string>,
): Promise<readonly Outcome[]> {
  const ids = [...new Set(accepted.map(({ eventId }) => eventId))];
  const { rows } = await sql<StoredRow>`
    select s.event_id, s.subject, (extract(epoch from s.said_at) * 1000)::float8 as at, s.mask, s.value, s.source, s.notice
    from unnest(${textArray(ids)}::text[]) as asked(event_id)
    join consent_signals as s on s.organization_id = ${organizationId} and s.event_id = asked.event_id`.execute(
    transaction,
  );
  const there = new Map(rows.map((row) => [row.event_id, row]));
  return accepted.map((one, index) => {
    if (!isSame(one, subjects[index], there.get(one.eventId)))
      return {
        refused: 'event-id-reused',
        reason: 'Another signal has this event id. Give each signal an id of its own.',
      };
    // Of those that stand twice among them, the first.
    return stored.delete(one.eventId) ? 'stored' : 'repeated';
  });
}

function isSame(one: Accepted, subject: number | undefined, row: StoredRow | undefined): boolean {
  return (
    row !== undefined &&
    row.subject === subject &&
    row.at === one.at &&
    BigInt(row.mask) === one.mask &&
    BigInt(row.value) === one.value &&
    row.source === one.source &&
    row.notice?.version === one.notice?.version &&
    row.notice?.language === one.notice?.language &&
    row.notice?.variant === one.notice?.variant
  );
}
