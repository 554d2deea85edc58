import type { api } from '@habeas/contract';
import { sql } from 'kysely';
import { appendAudit } from '../../audit/index.ts';
import { type Clock, type Database, HabeasError } from '../../foundation/index.ts';
import { type Destination, hashedAddress } from './destination.ts';
import { cursorOf } from './spread.ts';

/** Who mends something. */
export interface PropagationCaller {
  readonly organizationId: string;
  readonly actor: string;
}

/** What destinations have and have not, for who may see and mend it. */
export interface PropagationState {
  /** For an organization. (Default: the one whose destinations these are; another one has none) */
  list(asking?: string): Promise<readonly api.ConsentDestination[]>;
  /** Those that wait longest first. Throws NOT_FOUND. */
  messages(query: api.ConsentMessagesQuery, asking?: string): Promise<readonly api.ConsentMessage[]>;
  /** Sends again: those with these ids, what was given up and not acknowledged, or everything. Throws NOT_FOUND. Gives how many. */
  retry(caller: PropagationCaller, asked: api.RetryPropagation): Promise<number>;
  /** The destination has these. Those whose state changed since are left alone. Throws NOT_FOUND. Gives how many. */
  acknowledge(caller: PropagationCaller, asked: api.AcknowledgePropagation): Promise<number>;
}

export interface PropagationStateOptions {
  readonly db: Database;
  readonly organizationId: string;
  readonly destinations: readonly Destination[];
  readonly clock: Clock;
}

interface ListRow {
  readonly destination: string;
  readonly waiting: number;
  readonly sent: number;
  readonly given_up: number;
  readonly oldest: Date | null;
  /** Whether it was ever written down what it has to be told. */
  readonly begun: boolean;
  readonly error: string | null;
  /** The address that said that nobody is there any more, without saying it. */
  readonly gone: string | null;
}

export function createPropagationState({
  db,
  organizationId,
  destinations,
  clock,
}: PropagationStateOptions): PropagationState {
  function find(caller: string, key: string): Destination {
    const theirs = caller === organizationId ? destinations : [];
    const found = theirs.find((one) => one.key === key);
    if (found !== undefined) return found;
    const keys = theirs.map((one) => one.key).join(', ');
    throw new HabeasError(
      'NOT_FOUND',
      `There is no destination ${JSON.stringify(key)} in consent.destinations. There ${keys === '' ? 'are none' : `are: ${keys}`}.`,
    );
  }

  interface Mending {
    readonly key: string;
    /** Gives a row for each message. */
    readonly change: ReturnType<typeof sql>;
    /** Gives a row where the destination itself was changed; comes last, as where changes are written down. (Default: nothing) */
    readonly ofItself?: ReturnType<typeof sql>;
  }

  /** Makes the changes, and notes who did. */
  async function mended(
    { actor }: PropagationCaller,
    action: string,
    { key, change, ofItself }: Mending,
  ): Promise<number> {
    return db.transaction().execute(async (transaction) => {
      const { rows } = await sql<{ messages: number }>`
        with changed as (${change}) select count(*)::integer as messages from changed`.execute(transaction);
      const messages = rows[0]?.messages ?? 0;
      const changed = ofItself === undefined ? [] : (await ofItself.execute(transaction)).rows;
      if (messages > 0 || changed.length > 0) {
        const entry = { organizationId, actor, action, subject: key, details: { messages } };
        await appendAudit(transaction, [entry], clock.now());
      }
      return messages;
    });
  }

  return {
    async list(asking = organizationId) {
      if (asking !== organizationId) return [];
      const keys = destinations.map(({ key }) => key);
      const { rows } = await sql<ListRow>`
        select c.destination, c.waiting, c.sent, c.given_up, least(c.oldest, n.oldest) as oldest, t.snapshot is not null as begun, e.error, g.gone
        from (
          select k.destination, count(*) filter (where d.state = 'waiting')::integer as waiting,
            count(*) filter (where d.state = 'sent')::integer as sent,
            count(*) filter (where d.state = 'given_up')::integer as given_up, min(d.changed_at) as oldest
          from unnest(${keys}::text[]) as k(destination)
          left join consent_deliveries as d on d.organization_id = ${organizationId} and d.destination = k.destination and d.state <> 'acknowledged'
          group by 1
        ) as c
        left join consent_targets as t
          on t.organization_id = ${organizationId} and t.target = ${cursorOf({ organizationId, key: '' }).key} || c.destination
        left join consent_destinations as g on g.organization_id = ${organizationId} and g.destination = c.destination
        left join lateral (
          select d.error from consent_deliveries as d
          where d.organization_id = ${organizationId} and d.destination = c.destination and d.state <> 'acknowledged' and d.error is not null
          order by d.changed_at limit 1
        ) as e on true
        left join lateral (
          select min(n.changed_at) as oldest from consent_changes as n
          where n.organization_id = t.organization_id and n.changed_in >= pg_snapshot_xmin(t.snapshot) and not pg_visible_in_snapshot(n.changed_in, t.snapshot)
        ) as n on true`.execute(db);
      const now = clock.now().getTime();
      return destinations.map((destination) => {
        const { key, by, purposes, acknowledge } = destination;
        const row = rows.find(({ destination }) => destination === key);
        const oldest = row?.oldest?.getTime() ?? now;
        const lag = Math.max(0, now - oldest) / 1_000;
        return {
          key,
          by: by.kind,
          acknowledge,
          purposes: Object.fromEntries(purposes.map(({ code, name }) => [code, name])),
          waiting: row?.waiting ?? 0,
          sent: row?.sent ?? 0,
          given_up: row?.given_up ?? 0,
          lag_seconds: row?.begun === true ? lag : null,
          error:
            row?.gone === hashedAddress(destination)
              ? `SYSTEM_REFUSED: it answered with HTTP 410 (gone) and is told nothing. Give it another url, or run habeas consent propagation retry ${key}.`
              : (row?.error ?? null),
        };
      });
    },

    async messages({ destination, state, limit }, asking = organizationId) {
      const { key } = find(asking, destination);
      const { rows } = await sql<{
        id: string;
        state: api.ConsentMessage['state'];
        changed_at: Date;
        tries: number;
        next_at: Date;
        error: string | null;
      }>`
        select id::text, state, changed_at, tries, next_at, error from consent_deliveries
        where organization_id = ${organizationId} and destination = ${key} and state <> 'acknowledged'
          and (${state ?? null}::text is null or state = ${state ?? null})
        order by changed_at, subject limit ${limit}`.execute(db);
      return rows.map((row) => ({
        id: row.id,
        state: row.state,
        changed_at: row.changed_at.toISOString(),
        failed_tries: row.tries,
        next_at: row.state === 'waiting' ? row.next_at.toISOString() : null,
        error: row.error,
      }));
    },

    async retry(caller, { destination, messages, everybody }) {
      const { key } = find(caller.organizationId, destination);
      const which =
        messages === undefined
          ? everybody
            ? sql`true`
            : sql`state <> 'acknowledged'`
          : sql`id = any(${messages}::uuid[])`;
      // Also where it said that it is gone, or wants to be left alone.
      const ofItself = sql`
        update consent_destinations set gone = null, rests = null, rests_until = null
        where organization_id = ${organizationId} and destination = ${key} and (gone is not null or rests_until is not null) returning 1`;
      const change = sql`
        update consent_deliveries set state = 'waiting', tries = 0, next_at = ${clock.now()}, outage = false, error = null,
          changed_at = case when state = 'acknowledged' then ${clock.now()} else changed_at end
        where organization_id = ${organizationId} and destination = ${key} and ${which} returning 1`;
      return mended(caller, 'consent.propagation-retried', { key, change, ofItself });
    },

    async acknowledge(caller, { destination, messages }) {
      const { key } = find(caller.organizationId, destination);
      const change = sql`
        update consent_deliveries set state = 'acknowledged', operations = null, error = null
        where organization_id = ${organizationId} and destination = ${key} and id = any(${messages}::uuid[])
          and state <> 'acknowledged' returning 1`;
      return mended(caller, 'consent.propagation-acknowledged', { key, change });
    },
  };
}
