import { type Clock, type Database, HabeasError } from '../../foundation/index.ts';
import type { StoredEvent } from '../../notify/index.ts';
import type { Requests } from '../requests.ts';
import { hasPackage } from '../rights.ts';
import { instructionsOf } from '../ticket-instructions.ts';
import {
  loadTickets,
  loadUnsettled,
  type MirroredTicket,
  type MirrorScope,
  noteIssue,
  noteReport,
  noteSeen,
  noteSeenUntil,
  noteSettled,
  noteTry,
} from './mirrors.ts';
import type { TicketSource } from './ticket-source.ts';
import type { IssueState, NewIssue, Tracker } from './tracker.ts';

export interface MirrorOptions {
  readonly db: Database;
  readonly organizationId: string;
  readonly clock: Clock;
  readonly tracker: Tracker;
  readonly requests: Pick<Requests, 'closeTicket' | 'rejectTicket' | 'commandTask'>;
  /** Whose tickets. */
  readonly teams: ReadonlySet<string>;
  /** Where people reach Habeas. */
  readonly publicUrl: string;
}

export interface TicketReport {
  readonly ticketId: string;
  readonly state: IssueState;
  /** The same for a report that is sent again. */
  readonly messageId: string;
}

export interface TicketMirror {
  /** Brings issues in line with the tickets that events are about. Throws what can be tried again. */
  follow(events: readonly StoredEvent[], signal: AbortSignal): Promise<void>;
  /** Takes up what the tracker said of one ticket. Throws NOT_FOUND for one that it was never told of, and what can be tried again. */
  report(report: TicketReport, signal: AbortSignal): Promise<void>;
  /** Takes up what issues say that changed since then, and brings both in line. */
  poll(since: Date, signal: AbortSignal): Promise<void>;
}

/** Trackers' clocks and ours differ, and some tell minutes only. */
const OVERLAP_MILLISECONDS = 5 * 60_000;

/**
 * One issue for each ticket, in one tracker:
 *
 *     ticket opened ──▶ note the try ──▶ create ──▶ note the issue
 *                          │ tried before, and no issue is known: look for it first
 *
 *     seen ≠ acted: the team said something there ──▶ close, reject or take up the ticket here
 *     seen = acted, and the ticket differs         ──▶ close or reopen the issue there, with a comment
 */
export function createTicketMirror(options: MirrorOptions): TicketMirror {
  const { db, organizationId, tracker, clock, requests } = options;
  const scope: MirrorScope = { organizationId, tracker: tracker.name };
  const settled = (ticketId: string, state: IssueState) =>
    noteSettled(db, scope, ticketId, { state, now: clock.now() });
  const caller = { organizationId, actor: `tracker:${tracker.name}` };

  const isOurs = ({ team }: MirroredTicket) => team !== null && options.teams.has(team);

  /** Looked for before it is made, if it may have been made already. */
  async function ensureIssue(ticket: MirroredTicket, signal: AbortSignal): Promise<void> {
    const now = clock.now();
    if (ticket.triedAt !== null) {
      if (now.getTime() - ticket.triedAt.getTime() < tracker.settlesWithin) {
        throw new HabeasError('UNAVAILABLE', `${tracker.name} may not show yet what was made there.`, {
          retryable: true,
        });
      }
      const since = new Date(ticket.triedAt.getTime() - OVERLAP_MILLISECONDS);
      const found = await tracker.find(ticket.ticketId, since, signal);
      if (found !== undefined) return noteIssue(db, scope, ticket.ticketId, found);
    }
    await noteTry(db, scope, ticket.ticketId, now);
    const made = await tracker.create(issueFor(ticket, options.publicUrl), signal);
    await noteIssue(db, scope, ticket.ticketId, made);
  }

  const load = async (ticketId: string) =>
    (await loadTickets(db, scope, { tickets: [ticketId], requests: [] }))[0];

  /** One after the other: an event and a look at the tracker may be about the same ticket, and each comment is written once. */
  const inTurn = createTurns();
  const settle = (ticketId: string, signal: AbortSignal): Promise<void> =>
    inTurn(ticketId, async () => {
      const ticket = await load(ticketId);
      if (ticket !== undefined) await bringInLine(ticket, signal);
    });

  async function bringInLine(ticket: MirroredTicket, signal: AbortSignal): Promise<void> {
    const { issueId, ticketId, seen, acted } = ticket;
    if (!isOurs(ticket)) {
      // Handed to a team whose tickets are elsewhere: what is said of it here counts no more.
      if (issueId === null || seen === null) return;
      if (seen === 'open') await tracker.close(issueId, 'Another team has the ticket now.', signal);
      return settled(ticketId, seen === 'open' ? 'closed' : seen);
    }
    if (issueId === null || seen === null) {
      // A ticket that ended before it was mirrored needs no issue, unless a lost creation made one.
      if (ticket.state === 'waiting' || (ticket.triedAt !== null && isOver(ticket)))
        await ensureIssue(ticket, signal);
      return;
    }
    if (seen !== acted) await takeUp({ ...ticket, seen }, issueId, signal);
    else if (isOver(ticket) && seen === 'open') {
      await tracker.close(issueId, 'The ticket has ended in Habeas.', signal);
      await settled(ticketId, 'closed');
    } else if (ticket.state === 'waiting' && seen !== 'open') {
      await tracker.reopen(issueId, 'The ticket is open again in Habeas.', signal);
      await settled(ticketId, 'open');
    }
  }

  /** The team said something in its tracker. */
  async function takeUp(
    ticket: MirroredTicket & { readonly seen: NonNullable<MirroredTicket['seen']> },
    issueId: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { ticketId, requestId, seen, state } = ticket;
    const where = `in ${tracker.name} as ${ticket.label}`;
    if (ticket.requestState === 'held') return;
    if (seen === 'closed' && state === 'waiting' && needsData(ticket)) {
      await tracker.reopen(issueId, HAND_OVER(ticketId), signal);
      return settled(ticketId, 'open');
    }
    if (seen === 'closed' && state === 'waiting')
      await requests.closeTicket(caller, ticketId, { note: `Closed ${where}.` });
    if (seen === 'rejected' && state === 'waiting')
      await requests.rejectTicket(caller, ticketId, `Rejected ${where}.`);
    if (seen === 'open' && state === 'blocked')
      await requests.commandTask(caller, requestId, ticketId, { type: 'retry' });
    await settled(ticketId, seen);
  }

  /** Each by itself: one that cannot be settled holds up no other. The first failure is thrown when all were tried. */
  async function settleAll(tickets: readonly MirroredTicket[], signal: AbortSignal): Promise<void> {
    let failure: unknown;
    for (const ticket of tickets) {
      signal.throwIfAborted();
      try {
        await settle(ticket.ticketId, signal);
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
  }

  return {
    async follow(events, signal) {
      const tickets = events.map((event) => String(event.data.subject));
      const requestIds = events.flatMap(({ type, requestId }) =>
        type.startsWith('request.') && requestId !== undefined ? [requestId] : [],
      );
      const found = await loadTickets(db, scope, { tickets, requests: requestIds });
      await settleAll(
        found.filter((ticket) => isOurs(ticket) || ticket.issueId !== null),
        signal,
      );
    },
    async report({ ticketId, state, messageId }, signal) {
      const now = clock.now();
      const known = await load(ticketId);
      if (known === undefined || known.triedAt === null)
        throw new HabeasError('NOT_FOUND', 'This tracker was never told of such a ticket.');
      await db.transaction().execute(async (transaction) => {
        if (!(await noteReport(transaction, scope, { messageId, now }))) return;
        // The answer to its creation may have been lost: who says something of it has it.
        await noteIssue(transaction, scope, ticketId, { id: ticketId, label: ticketId, state: 'open' });
        const issues = [{ id: ticketId, label: ticketId, state }];
        await noteSeen(transaction, scope, { issues, askedAt: now });
      });
      // Also for a report that came before: whoever sends it again did not hear that it took effect.
      await settle(ticketId, signal);
    },
    async poll(since, signal) {
      const until = clock.now();
      const issues = await tracker.changedSince(new Date(since.getTime() - OVERLAP_MILLISECONDS), signal);
      await noteSeen(db, scope, { issues, askedAt: until });
      await noteSeenUntil(db, scope, until);
      await settleAll(await loadUnsettled(db, scope), signal);
    },
  };
}

/** Runs what is given under the same name one after the other. */
function createTurns(): (name: string, work: () => Promise<void>) => Promise<void> {
  const last = new Map<string, Promise<unknown>>();
  return async (name, work) => {
    const mine = (last.get(name) ?? Promise.resolve()).then(work, work);
    last.set(name, mine);
    try {
      await mine;
    } finally {
      if (last.get(name) === mine) last.delete(name);
    }
  };
}

function isOver({ state }: TicketSource): boolean {
  return state === 'succeeded' || state === 'skipped' || state === 'cancelled';
}

/** What is found has to be handed over, which no tracker can do. */
function needsData({ rightKind, dryRun }: TicketSource): boolean {
  return hasPackage(rightKind) && !dryRun;
}

const HAND_OVER = (ticketId: string) =>
  `What was found has to be handed over in Habeas, and never here: habeas tickets close ${ticketId} --data FILE --note TEXT. This issue closes by itself then.`;

/** Title and text of an issue: what to do, by when and where to learn whom it is about. */
export function issueFor(ticket: TicketSource, publicUrl: string): NewIssue {
  const { ticketId, system, rightKind } = ticket;
  const line = (text: string) => text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ');
  const then = needsData(ticket)
    ? HAND_OVER(ticketId)
    : 'Closing this issue closes the ticket; closing it as not to be done rejects it, and an officer decides.';
  return {
    ticketId,
    title: line(`Habeas: ${rightKind.replaceAll('_', ' ')} in ${system} (${ticketId})`).slice(0, 250),
    body: [
      line(
        instructionsOf({
          system,
          right_kind: rightKind,
          dry_run: ticket.dryRun,
          targets: [...ticket.targets],
          purposes: [...ticket.purposes],
          lift: ticket.lift,
          data_types: [],
        }),
      ),
      `Due ${ticket.dueAt.toISOString().slice(0, 10)}.`,
      `Whom it is about stands in Habeas alone: habeas tickets show ${ticketId}, or ${publicUrl}/api/v1/tickets/${ticketId}. Write no personal data here.`,
      then,
    ],
  };
}
