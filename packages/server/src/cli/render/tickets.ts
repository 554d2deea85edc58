import type { api } from '@habeas/contract';
import { paragraph } from './map.ts';
import type { Paint } from './paint.ts';
import { table } from './table.ts';
import { padEnd, printable } from './text.ts';
import { shortTime } from './time.ts';

/** Tickets, newest first. */
export function ticketLines(
  page: { readonly items: readonly api.TicketView[]; readonly next: string | null },
  width: number,
  paint: Paint,
): readonly string[] {
  if (page.items.length === 0) return ['No tickets.'];
  const lines = table<api.TicketView>({
    columns: [
      { title: 'TICKET', value: (ticket) => ticket.id },
      { title: 'TEAM', value: (ticket) => ticket.team },
      { title: 'SYSTEM', value: (ticket) => ticket.system, flexible: true },
      { title: 'RIGHT', value: (ticket) => ticket.right },
      {
        title: 'STATE',
        value: (ticket) => ticket.state,
        paint: (text, ticket) => (ticket.state === 'open' ? paint.warn(text) : text),
      },
      { title: 'DUE', value: (ticket) => ticket.due_at.slice(0, 10) },
    ],
    rows: page.items,
    width,
    paint,
  });
  return page.next === null ? lines : [...lines, paint.quiet('There are more; raise --limit.')];
}

/** One ticket, with the person that it is about. */
export function ticketDetailLines(ticket: api.TicketDetail, width: number, paint: Paint): readonly string[] {
  const line = (name: string, value: string) => paragraph(padEnd(name, 13), printable(value), width);
  return [
    paint.strong(`Ticket ${ticket.id}`),
    ...line('state', ticket.state),
    ...line('team', ticket.team),
    ...line('system', ticket.system),
    ...line('request', `${ticket.request_id} (${ticket.right})`),
    ...line('opened', shortTime(ticket.opened_at)),
    ...line('due', shortTime(ticket.due_at)),
    ...line('data types', ticket.data_types.join(', ')),
    ...ticket.identities.flatMap(({ type, value }) => line(type, value)),
    ...ticket.changes.flatMap(({ target, from, to }) =>
      line(
        'change',
        `${target}${from === undefined ? '' : `, where it is ${JSON.stringify(from)}`}: ${JSON.stringify(to)}`,
      ),
    ),
    ...line('to do', ticket.instructions),
    ...(ticket.note === null ? [] : line('note', ticket.note)),
  ];
}
