import { setTimeout as delay } from 'node:timers/promises';
import type { api } from '@habeas/contract';
import { answerTicket } from '@habeas/example-acme';
import type { Company } from './company.ts';
import { followAll } from './follow-all.ts';
import { limiter } from './limiter.ts';

/** What the team's script knows. */
const SCRIPTED: readonly api.Right[] = ['access', 'portability', 'erasure'];
const PATIENCE_MILLISECONDS = 180_000;

/** Makes a call again until it is answered: the server may be away, or be killed in the middle. */
export async function untilAnswered<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  for (const end = Date.now() + PATIENCE_MILLISECONDS; ; await delay(100)) {
    try {
      return await call();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

/** How else the team learns of a ticket, and tells of it, than by the API. */
export interface TicketMessages {
  /** Whether a message has told the team of the ticket. */
  hasHeardOf(ticket: api.TicketView): boolean;
  /** Says by an event that a ticket is done for which the script has nothing to do; false: it has to be said by the API. */
  reportDone(ticket: api.TicketView): Promise<boolean>;
}

/** The team without a client does its work by hand, and says so until it is heard. */
export function answerTickets(company: Company, messages?: TicketMessages) {
  const controller = new AbortController();
  const oneAtATime = limiter(1);
  const seen = new Set<string>();
  const answer = async (id: string): Promise<void> => {
    const ticket = await untilAnswered(() => company.client.getTicket(id));
    // A ticket that is closed before its message goes out has none.
    await untilAnswered(async () => {
      if (messages?.hasHeardOf(ticket) === false) throw new Error(`No message about ${id} came.`);
    });
    const folder = company.acme.folderOf('analytics');
    // For the other rights the team has nothing to do: its events are used for nothing else, and name nobody.
    const scripted = SCRIPTED.includes(ticket.right);
    if (!scripted && messages !== undefined && (await untilAnswered(() => messages.reportDone(ticket))))
      return;
    const count = scripted ? await oneAtATime(() => answerTicket(ticket, { folder })) : { lines: 0 };
    await untilAnswered(async () => {
      if ((await company.client.getTicket(id)).state !== 'open') return;
      await company.client.closeTicket(id, { note: 'done by the script of the team', count: count.lines });
    });
  };
  const answering: Promise<void>[] = [];
  const following = followAll(company, {
    signal: controller.signal,
    onEvent: ({ type, data }) => {
      const id = String(data.subject);
      if (type !== 'ticket.opened' || seen.has(id)) return;
      seen.add(id);
      const work = answer(id);
      work.catch(() => undefined);
      answering.push(work);
    },
  });
  return {
    async close() {
      controller.abort();
      await following;
      await Promise.allSettled(answering);
    },
  };
}
