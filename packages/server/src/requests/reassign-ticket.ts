import { appendAudit } from '../audit/index.ts';
import { type Database, HabeasError } from '../foundation/index.ts';
import { publish } from '../notify/index.ts';
import type { RequestTables } from './tables.ts';

export interface ReassignTicketOptions {
  readonly now: Date;
  readonly actor: string;
  readonly ticket: { readonly organization_id: string; readonly request_id: string; readonly id: string };
  readonly team: string;
  readonly reason: string;
  /** Teams that there are. */
  readonly teams: ReadonlySet<string>;
}

/**
 * Gives a ticket to another team, with its audit entry and the event by which both teams learn of it. How far the ticket is stays
 * as it was: whose it is is no part of its state. Throws BAD_INPUT for a team that nobody knows, CONFLICT for a ticket that ended
 * or is theirs already.
 */
export async function reassignTicket(db: Database, options: ReassignTicketOptions): Promise<void> {
  const { now, actor, ticket, team, reason, teams } = options;
  const { organization_id: organizationId, request_id: requestId, id } = ticket;
  if (!teams.has(team))
    throw new HabeasError(
      'BAD_INPUT',
      `Nobody knows a team of this name. There are ${[...teams].toSorted().join(', ')}.`,
    );
  await db.transaction().execute(async (transaction) => {
    const tables = transaction.withTables<RequestTables>();
    const task = await tables
      .selectFrom('tasks')
      .select(['key', 'system', 'team', 'state'])
      .where('organization_id', '=', organizationId)
      .where('id', '=', id)
      .where('kind', '=', 'ticket')
      .forUpdate()
      .executeTakeFirstOrThrow();
    if (task.state !== 'waiting' && task.state !== 'blocked')
      throw new HabeasError('CONFLICT', `Ticket ${id} has ended: there is nothing to hand over.`);
    if (task.team === team) throw new HabeasError('CONFLICT', `Ticket ${id} is theirs already.`);
    await tables
      .updateTable('tasks')
      .set({ team })
      .where('organization_id', '=', organizationId)
      .where('id', '=', id)
      .execute();
    const handed = { task: task.key, system: task.system, team, from_team: task.team };
    const entry = { ...handed, reason, request: requestId };
    await appendAudit(
      transaction,
      [{ organizationId, actor, action: 'ticket.reassigned', subject: id, details: entry }],
      now,
    );
    const data = { subject: id, ...handed };
    await publish(transaction, [{ organizationId, type: 'ticket.reassigned', requestId, data }], now);
  });
}
