import { sql } from 'kysely';
import type { Database } from '../../foundation/index.ts';
import type { TicketSource } from './ticket-source.ts';
import type { Issue, IssueState } from './tracker.ts';

export type MirrorTables = {
  /** The issue of a ticket in a tracker. */
  ticket_mirrors: {
    organization_id: string;
    tracker: string;
    ticket_id: string;
    /** null: none is known yet; a creation whose answer was lost may have made one. */
    issue_id: string | null;
    label: string | null;
    /** What the issue said last. */
    seen: IssueState;
    /** What of it took effect in Habeas. */
    acted: IssueState;
    /** When its creation was tried first; nothing older is its issue. */
    tried_at: Date;
    /** When both were brought in line; what was read before says nothing. */
    settled_at: Date;
  };
  /** Reports that came, as long as they could come again. */
  tracker_reports: { organization_id: string; tracker: string; message_id: string; received_at: Date };
  tracker_cursors: {
    organization_id: string;
    tracker: string;
    /** Changes before are known. */
    seen_until: Date;
    polled_at: Date;
  };
};

export interface MirrorScope {
  readonly organizationId: string;
  readonly tracker: string;
}

/** A ticket with its mirror, if it has one. */
export interface MirroredTicket extends TicketSource {
  readonly issueId: string | null;
  readonly label: string | null;
  readonly seen: IssueState | null;
  readonly acted: IssueState | null;
  readonly triedAt: Date | null;
}

const MIRRORED = sql`
  t.id as "ticketId", t.request_id as "requestId", t.state, t.system, t.team, r.right_kind as "rightKind",
  r.dry_run as "dryRun", r.targets, r.purposes, r.lift, r.due_at as "dueAt", r.state as "requestState",
  m.issue_id as "issueId", m.label, m.seen, m.acted, m.tried_at as "triedAt"`;

/** Tickets by their ids, or all of requests. */
export async function loadTickets(
  db: Database,
  scope: MirrorScope,
  ids: { readonly tickets: readonly string[]; readonly requests: readonly string[] },
): Promise<readonly MirroredTicket[]> {
  const { rows } = await sql<MirroredTicket>`
    select ${MIRRORED}
    from tasks t
    join requests r on r.organization_id = t.organization_id and r.id = t.request_id
    left join ticket_mirrors m on m.organization_id = t.organization_id and m.ticket_id = t.id and m.tracker = ${scope.tracker}
    where t.organization_id = ${scope.organizationId} and t.kind = 'ticket'
      and (t.id = any (${ids.tickets}::text[]) or t.request_id = any (${ids.requests}::text[]))
    order by t.id`.execute(db);
  return rows;
}

/** Mirrors whose issue says something that has not taken effect, or is open although the ticket has ended. */
export async function loadUnsettled(db: Database, scope: MirrorScope): Promise<readonly MirroredTicket[]> {
  const { rows } = await sql<MirroredTicket>`
    select ${MIRRORED}
    from ticket_mirrors m
    join tasks t on t.organization_id = m.organization_id and t.id = m.ticket_id
    join requests r on r.organization_id = t.organization_id and r.id = t.request_id
    where m.organization_id = ${scope.organizationId} and m.tracker = ${scope.tracker} and m.issue_id is not null
      and (m.seen <> m.acted or (m.seen = 'open' and t.state in ('succeeded', 'skipped', 'cancelled')))
    order by m.ticket_id
    limit 200`.execute(db);
  return rows;
}

/** Notes that a creation is tried, before it is. Gives when it was tried first. */
export async function noteTry(db: Database, scope: MirrorScope, ticketId: string, now: Date): Promise<void> {
  await db
    .withTables<MirrorTables>()
    .insertInto('ticket_mirrors')
    .values({
      organization_id: scope.organizationId,
      tracker: scope.tracker,
      ticket_id: ticketId,
      issue_id: null,
      label: null,
      seen: 'open',
      acted: 'open',
      tried_at: now,
      settled_at: now,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function noteIssue(
  db: Database,
  scope: MirrorScope,
  ticketId: string,
  issue: Issue,
): Promise<void> {
  await db
    .withTables<MirrorTables>()
    .updateTable('ticket_mirrors')
    .set({ issue_id: issue.id, label: issue.label, seen: issue.state })
    .where('organization_id', '=', scope.organizationId)
    .where('tracker', '=', scope.tracker)
    .where('ticket_id', '=', ticketId)
    .where('issue_id', 'is', null)
    .execute();
}

/** What the issue says took effect, or what Habeas had it say. */
export async function noteSettled(
  db: Database,
  scope: MirrorScope,
  ticketId: string,
  { state, now }: { readonly state: IssueState; readonly now: Date },
): Promise<void> {
  await db
    .withTables<MirrorTables>()
    .updateTable('ticket_mirrors')
    .set({ seen: state, acted: state, settled_at: now })
    .where('organization_id', '=', scope.organizationId)
    .where('tracker', '=', scope.tracker)
    .where('ticket_id', '=', ticketId)
    .execute();
}

/** What issues say now; those of no ticket are passed over. */
export async function noteSeen(
  db: Database,
  scope: MirrorScope,
  { issues, askedAt }: { readonly issues: readonly Issue[]; readonly askedAt: Date },
): Promise<void> {
  if (issues.length === 0) return;
  await sql`
    update ticket_mirrors m set seen = s.state
    from unnest(${issues.map(({ id }) => id)}::text[], ${issues.map(({ state }) => state)}::text[]) as s (id, state)
    where m.organization_id = ${scope.organizationId} and m.tracker = ${scope.tracker} and m.issue_id = s.id
      and m.settled_at <= ${askedAt}`.execute(db);
}

/** How long after it was signed a report could be sent again; twice the time in which signatures are taken. */
const REPORT_MILLISECONDS = 20 * 60_000;

/** Whether this report came for the first time. Forgets those that nobody could send again. */
export async function noteReport(
  transaction: Database,
  scope: MirrorScope,
  { messageId, now }: { readonly messageId: string; readonly now: Date },
): Promise<boolean> {
  const tables = transaction.withTables<MirrorTables>();
  await tables
    .deleteFrom('tracker_reports')
    .where('organization_id', '=', scope.organizationId)
    .where('tracker', '=', scope.tracker)
    .where('received_at', '<', new Date(now.getTime() - REPORT_MILLISECONDS))
    .execute();
  const noted = await tables
    .insertInto('tracker_reports')
    .values({
      organization_id: scope.organizationId,
      tracker: scope.tracker,
      message_id: messageId,
      received_at: now,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return noted.numInsertedOrUpdatedRows === 1n;
}

/** When changes were looked for last, if it is this process' turn to look now: one of all servers does it once in an interval. */
export async function takeTurn(
  db: Database,
  scope: MirrorScope,
  { now, interval }: { readonly now: Date; readonly interval: number },
): Promise<Date | undefined> {
  const { rows } = await sql<{ seen_until: Date }>`
    insert into tracker_cursors (organization_id, tracker, seen_until, polled_at)
    values (${scope.organizationId}, ${scope.tracker}, ${now}, ${now})
    on conflict (organization_id, tracker) do update set polled_at = excluded.polled_at
      where tracker_cursors.polled_at <= ${new Date(now.getTime() - interval)}
    returning seen_until`.execute(db);
  return rows[0]?.seen_until;
}

export async function noteSeenUntil(db: Database, scope: MirrorScope, until: Date): Promise<void> {
  await db
    .withTables<MirrorTables>()
    .updateTable('tracker_cursors')
    .set({ seen_until: until })
    .where('organization_id', '=', scope.organizationId)
    .where('tracker', '=', scope.tracker)
    .execute();
}
