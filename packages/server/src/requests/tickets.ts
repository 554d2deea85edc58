import type { api } from '@habeas/contract';
import { type Expression, type SqlBool, sql } from 'kysely';
import { appendAudit } from '../audit/index.ts';
import { type Clock, type Database, HabeasError, type SecretKey } from '../foundation/index.ts';
import { createBlobStore } from './blob-store.ts';
import { loadChanges } from './change-vault.ts';
import { gatherHandedOver } from './handed-over.ts';
import { loadIdentities, loadRequestKey, sealText } from './identity-vault.ts';
import { reassignTicket } from './reassign-ticket.ts';
import type { Caller, Page, Requests } from './requests.ts';
import { hasPackage } from './rights.ts';
import { type RequestTables, TASK_ROW_COLUMNS } from './tables.ts';
import type { Applied, Transitions } from './transitions.ts';
import { type TicketRow, ticketView } from './views.ts';

export interface TicketsOptions {
  readonly db: Database;
  readonly transitions: Transitions;
  readonly masterKey: SecretKey;
  readonly clock: Clock;
  /** What each system was declared to store, for the instructions. */
  readonly dataTypes: () => Promise<ReadonlyMap<string, readonly string[]>>;
  /** Teams that there are. */
  readonly teams: () => Promise<ReadonlySet<string>>;
}

type Tickets = Pick<
  Requests,
  'listTickets' | 'getTicket' | 'closeTicket' | 'rejectTicket' | 'reassignTicket'
>;

/** Work that a team does by hand. A ticket is a task; it opens when everything that it waits for is done. */
export function createTickets(options: TicketsOptions): Tickets {
  const select = (caller: Caller) =>
    options.db
      .withTables<RequestTables>()
      .selectFrom('tasks as t')
      .innerJoin('requests as r', (join) =>
        join.onRef('r.id', '=', 't.request_id').onRef('r.organization_id', '=', 't.organization_id'),
      )
      .select([
        ...TASK_ROW_COLUMNS.map((column) => `t.${column}` as const),
        'r.right_kind',
        'r.due_at',
        'r.dry_run',
        'r.targets',
        'r.purposes',
        'r.lift',
        'r.state as request_state',
      ])
      .select(
        // Only an erasure can be wanted in a way of its own.
        sql<string | null>`case when r.right_kind = 'erasure' then (
          select e ->> 'how' from jsonb_array_elements(r.plan::jsonb -> 'tasks') e where e ->> 'key' = t.key) end`.as(
          'how',
        ),
      )
      .where('t.organization_id', '=', caller.organizationId)
      .$if(caller.teams !== undefined && caller.teams !== null, (tickets) =>
        tickets.where(sql<boolean>`t.team = any(${caller.teams}::text[])`),
      )
      .where('t.kind', '=', 'ticket')
      .where('t.started_at', 'is not', null);

  const load = async (caller: Caller, ticketId: string): Promise<TicketRow> => {
    const row = await select(caller).where('t.id', '=', ticketId).executeTakeFirst();
    if (row === undefined) throw new HabeasError('NOT_FOUND', `There is no ticket ${ticketId}.`);
    return { ...row, data_types: (await options.dataTypes()).get(row.system ?? '') ?? [] };
  };

  const targetOf = (ticket: TicketRow) => ({
    organizationId: ticket.organization_id,
    requestId: ticket.request_id,
    taskId: ticket.id,
  });
  const ended = async (caller: Caller, ticket: TicketRow, applied: Applied, verb: 'closed' | 'rejected') => {
    if (!applied.applied)
      throw new HabeasError('CONFLICT', `The ticket cannot be ${verb}: ${applied.refused}.`);
    return ticketView(await load(caller, ticket.id));
  };

  return {
    async listTickets(caller, query): Promise<Page<api.TicketView>> {
      let tickets = select(caller)
        .orderBy('t.id', 'desc')
        .limit(query.limit + 1);
      if (query.team !== undefined) tickets = tickets.where('t.team', '=', query.team);
      if (query.cursor !== undefined) tickets = tickets.where('t.id', '<', query.cursor);
      if (query.state !== undefined) {
        const state = query.state;
        tickets = tickets.where((where): Expression<SqlBool> => {
          if (state === 'open') return where('t.state', '=', 'waiting');
          if (state === 'closed') return where('t.state', '=', 'succeeded');
          return where('t.state', '=', state === 'rejected' ? 'blocked' : state);
        });
      }
      const rows = await tickets.execute();
      const page = rows.slice(0, query.limit);
      const dataTypes = await options.dataTypes();
      const items = page.map((row) =>
        ticketView({ ...row, data_types: dataTypes.get(row.system ?? '') ?? [] }),
      );
      return { items, next: rows.length > query.limit ? (page.at(-1)?.id ?? null) : null };
    },
    async getTicket(caller, ticketId) {
      const ticket = await load(caller, ticketId);
      if (ticket.request_state === 'held') {
        throw new HabeasError(
          'CONFLICT',
          `Request ${ticket.request_id} is on hold; nothing may be done about it until it is released.`,
        );
      }
      if (ticket.state !== 'waiting') return { ...ticketView(ticket), identities: [], changes: [] };
      const ref = { organizationId: caller.organizationId, requestId: ticket.request_id };
      const now = options.clock.now();
      const opened = await options.db.transaction().execute(async (transaction) => {
        const key = await loadRequestKey(transaction, ref, options.masterKey);
        await appendAudit(
          transaction,
          [
            {
              organizationId: ref.organizationId,
              actor: caller.actor,
              action: 'ticket.read',
              subject: ticketId,
              details: { request: ref.requestId },
            },
          ],
          now,
        );
        const identities = await loadIdentities(transaction, ref, key);
        return { identities: [...identities], changes: [...(await loadChanges(transaction, ref, key))] };
      });
      return { ...ticketView(ticket), ...opened };
    },
    async closeTicket(caller, ticketId, close) {
      const { note, data } = close;
      const ticket = await load(caller, ticketId);
      if (data !== undefined && (!hasPackage(ticket.right_kind) || ticket.dry_run)) {
        throw new HabeasError(
          'BAD_INPUT',
          `Ticket ${ticketId} asks for no data, so none can be handed over with it. Close it with a note and a count.`,
        );
      }
      const { pieces, contents, rows } = await gatherHandedOver(close);
      const records = rows > 0 ? rows : (close.count ?? 0);
      // Names in the data may be personal; they are sealed with it, and what is kept for ever counts only.
      const evidence = {
        matched: records > 0,
        counts: { [ticket.system ?? 'ticket']: records },
        retained: [],
        residuals: [],
        notes: ['attested by a person of the team; not read again by Habeas'],
      };
      const blob = `items/${ticketId}/${ticket.attempt}`;
      const ref = { organizationId: ticket.organization_id, requestId: ticket.request_id };
      const key = rows > 0 ? await loadRequestKey(options.db, ref, options.masterKey) : undefined;
      const applied = await options.transitions.apply(
        targetOf(ticket),
        { type: 'task-succeeded', attempt: ticket.attempt, matched: records > 0 ? true : null },
        {
          actor: caller.actor,
          result: {
            note,
            evidence,
            ...(key === undefined ? {} : { blob, contents: sealText(ref, key, JSON.stringify(contents)) }),
          },
          also: async (transaction) => {
            if (key !== undefined)
              await createBlobStore(transaction, key).put({ ...ref, blob }, pieces, 'packed');
          },
        },
      );
      return ended(caller, ticket, applied, 'closed');
    },
    async reassignTicket(caller, ticketId, { team, reason }) {
      const ticket = await load(caller, ticketId);
      const { db, clock } = options;
      const { actor, organizationId } = caller;
      const teams = await options.teams();
      await reassignTicket(db, { now: clock.now(), actor, ticket, team, reason, teams });
      // Whoever has only their own team's tickets does not see it any more.
      return ticketView(await load({ organizationId, actor }, ticketId));
    },
    async rejectTicket(caller, ticketId, reason) {
      const ticket = await load(caller, ticketId);
      const message = `Team ${ticket.team} rejected the ticket; its note says why. Retry the task to open it again, or skip it with a reason.`;
      const applied = await options.transitions.apply(
        targetOf(ticket),
        {
          type: 'task-failed',
          attempt: ticket.attempt,
          retryable: false,
          error: { code: 'SYSTEM_REFUSED', message },
        },
        { actor: caller.actor, result: { note: reason } },
      );
      return ended(caller, ticket, applied, 'rejected');
    },
  };
}
