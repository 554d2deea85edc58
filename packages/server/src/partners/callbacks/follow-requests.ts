import { type Clock, type Database, type Logger, pause } from '../../foundation/index.ts';
import { type EventFeed, readFrontier } from '../../notify/index.ts';
import type { Requests } from '../../requests/index.ts';
import { PARTNER_COLUMNS, type PartnerRow } from '../partner.ts';
import { PARTNER_REQUEST_COLUMNS, type PartnerRequests } from '../partner-requests.ts';
import type { PartnerTables } from '../tables.ts';
import { nextStatus, type PartnerRequestRow, type ProtocolFace, type ToldRequest } from '../told-status.ts';
import { enqueueCallbacks } from './callback-queue.ts';

export interface FollowRequestsOptions {
  readonly db: Database;
  readonly organizationId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly feed: EventFeed;
  readonly requests: Pick<Requests, 'get'>;
  readonly partnerRequests: PartnerRequests;
  readonly faces: Readonly<Record<PartnerRow['protocol'], ProtocolFace>>;
  /** Callbacks were enqueued. */
  readonly onEnqueued: () => void;
}

export interface RequestFollower {
  /** Notes what is true of a request now, with a callback for each address where that is news; gives the row as it is then. */
  note(partner: PartnerRow, row: PartnerRequestRow): Promise<ToldRequest>;
  load(partner: string, wireId: string): Promise<ToldRequest | undefined>;
  /** Follows the outbox until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

const PAGE = 200;
const EXPIRY_MILLISECONDS = 30_000;

/**
 * Turns changes of requests into callbacks. An event of the outbox only says that there may be news; what is told is what the
 * request says of itself, so that events that come twice or late change nothing. After a start all open requests are looked at.
 */
export function createRequestFollower(options: FollowRequestsOptions): RequestFollower {
  const { db, organizationId, clock, logger, partnerRequests } = options;
  const caller = { organizationId, actor: 'system' };

  const told = async (partner: PartnerRow, row: PartnerRequestRow): Promise<ToldRequest> => ({
    partner,
    row,
    details: partnerRequests.details(row),
    request: row.request_id === null ? undefined : await options.requests.get(caller, row.request_id),
  });

  const rowsOf = () =>
    db
      .withTables<PartnerTables>()
      .selectFrom('partner_requests')
      .select(PARTNER_REQUEST_COLUMNS)
      .where('organization_id', '=', organizationId);

  const partnerOf = (id: string): Promise<PartnerRow> =>
    db
      .withTables<PartnerTables>()
      .selectFrom('partners')
      .select(PARTNER_COLUMNS)
      .where('organization_id', '=', organizationId)
      .where('id', '=', id)
      .executeTakeFirstOrThrow();

  async function note(partner: PartnerRow, row: PartnerRequestRow): Promise<ToldRequest> {
    const current = await told(partner, row);
    const now = clock.now();
    const face = options.faces[partner.protocol];
    if (nextStatus(face, current, now).status === row.status) return current;
    const { changed, enqueued } = await db.transaction().execute(async (transaction) => {
      const own = transaction.withTables<PartnerTables>();
      const locked = await own
        .selectFrom('partner_requests')
        .select(PARTNER_REQUEST_COLUMNS)
        .where('organization_id', '=', organizationId)
        .where('partner', '=', row.partner)
        .where('wire_id', '=', row.wire_id)
        .forNoKeyUpdate()
        .executeTakeFirstOrThrow();
      const next = nextStatus(face, { ...current, row: locked }, now);
      if (next.status === locked.status) return { changed: locked, enqueued: false };
      const set = { status: next.status, ended_at: next.ended ? now : null };
      await own
        .updateTable('partner_requests')
        .set(set)
        .where('organization_id', '=', organizationId)
        .where('partner', '=', row.partner)
        .where('wire_id', '=', row.wire_id)
        .execute();
      const addresses = current.details.callbackUrls.length;
      await enqueueCallbacks(transaction, { row: locked, addresses, status: next.status, now });
      return { changed: { ...locked, ...set }, enqueued: addresses > 0 };
    });
    if (enqueued) options.onEnqueued();
    return { ...current, row: changed };
  }

  /** Notes all that the query finds, a page at a time. */
  async function noteAll(query: ReturnType<typeof rowsOf>): Promise<void> {
    let last: PartnerRequestRow | undefined;
    do {
      const from = last;
      const page = query.orderBy('partner').orderBy('wire_id').limit(PAGE);
      const rows = await (from === undefined
        ? page
        : page.where((where) =>
            where(where.refTuple('partner', 'wire_id'), '>', where.tuple(from.partner, from.wire_id)),
          )
      ).execute();
      for (const row of rows) await note(await partnerOf(row.partner), row);
      last = rows.length < PAGE ? undefined : rows.at(-1);
    } while (last !== undefined);
  }

  async function followOutbox(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        // What was published before this number is in the rows that are looked at now; what comes later is in the stream.
        const { settled } = await readFrontier(db);
        await noteAll(rowsOf().where('ended_at', 'is', null).where('request_id', 'is not', null));
        const events = options.feed.subscribe({
          organizationId,
          types: ['request.*'],
          after: settled,
          signal,
        });
        for await (const { requestId } of events) {
          if (requestId !== undefined) await noteAll(rowsOf().where('request_id', '=', requestId));
        }
      } catch (error) {
        if (!signal.aborted)
          logger.warn({ err: error }, 'Requests of partners cannot be followed now; trying again');
      }
      await pause(1_000, signal);
    }
  }

  /** Ends requests for which nobody was verified in time, and forgets what is old. */
  async function expire(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const now = clock.now();
        await noteAll(
          rowsOf()
            .where('request_id', 'is', null)
            .where('ended_at', 'is', null)
            .where('expires_at', '<=', now),
        );
        await partnerRequests.prune(now);
      } catch (error) {
        if (!signal.aborted)
          logger.warn({ err: error }, 'Requests of partners cannot be ended now; trying again');
      }
      await pause(EXPIRY_MILLISECONDS, signal);
    }
  }

  return {
    note,
    async load(partner, wireId) {
      const row = await rowsOf()
        .where('partner', '=', partner)
        .where('wire_id', '=', wireId)
        .executeTakeFirst();
      return row === undefined ? undefined : told(await partnerOf(partner), row);
    },
    run: async (signal) => {
      await Promise.all([followOutbox(signal), expire(signal)]);
    },
  };
}
