import { api } from '@habeas/contract';
import { type Command, Option } from 'commander';
import { type CliContext, clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import { readHandOver } from '../hand-over.ts';
import { count as parseCount, positiveOrZero } from '../option-values.ts';
import { ticketDetailLines, ticketLines } from '../render/tickets.ts';
import type { Run } from '../verb.ts';

interface ListOptions extends ServerOptions {
  readonly team?: string;
  readonly state?: string;
  readonly limit: number;
}

interface CloseOptions extends ServerOptions {
  readonly note: string;
  readonly count?: number;
  readonly data?: string;
}

/** `habeas tickets`: work for teams whose systems Habeas cannot act on. */
export function ticketsVerb(program: Command, run: Run): void {
  const tickets = program
    .command('tickets')
    .description('list, read, close and reject tickets: work for teams whose systems Habeas cannot act on');
  withServerOptions(
    tickets
      .command('list', { isDefault: true })
      .description('list tickets, newest first')
      .option('--team <name>', 'only tickets of this team')
      .addOption(
        new Option('--state <state>', 'only tickets in this state').choices(api.ticketStateSchema.options),
      )
      .option('--limit <n>', 'how many', parseCount, 50),
  ).action((options: ListOptions) =>
    run(async (context) => {
      const { team, state, limit } = options;
      const page = await clientFor(context, options).listTickets({ team, state, limit });
      print(context, options, {
        json: page,
        lines: () => ticketLines(page, context.terminal.width, context.paint),
      });
      return 'done';
    }),
  );
  withServerOptions(
    tickets.command('show').description('show a ticket with the person that it is about').argument('<id>'),
  ).action((id: string, options: ServerOptions) =>
    run(async (context) => {
      const ticket = await clientFor(context, options).getTicket(id);
      print(context, options, {
        json: ticket,
        lines: () => ticketDetailLines(ticket, context.terminal.width, context.paint),
      });
      return 'done';
    }),
  );
  withServerOptions(
    tickets
      .command('close')
      .description('say that the work of a ticket is done')
      .argument('<id>')
      .requiredOption('--note <text>', 'what was done; no personal data')
      .option('--count <n>', 'how many records were handed over or erased', positiveOrZero)
      .option(
        '--data <file>',
        'of an access: what was found, as JSON of rows by collection or as JSON lines',
      ),
  ).action((id: string, options: CloseOptions) =>
    run(async (context) => {
      const closed = await clientFor(context, options).closeTicket(id, {
        note: options.note,
        ...(options.count === undefined ? {} : { count: options.count }),
        ...(options.data === undefined ? {} : { data: await readHandOver(options.data) }),
      });
      return said(context, options, closed);
    }),
  );
  withServerOptions(
    tickets
      .command('reject')
      .description('say that the work of a ticket will not be done; an officer decides how to go on')
      .argument('<id>')
      .requiredOption('--reason <text>', 'why; no personal data'),
  ).action((id: string, options: ServerOptions & { readonly reason: string }) =>
    run(async (context) => {
      const rejected = await clientFor(context, options).rejectTicket(id, options.reason);
      return said(context, options, rejected);
    }),
  );
}

function said(
  context: CliContext,
  options: ServerOptions,
  ticket: { readonly id: string; readonly state: string; readonly request_id: string },
): 'done' {
  print(context, options, {
    json: ticket,
    lines: () => [`Ticket ${ticket.id} is ${ticket.state}. It belongs to request ${ticket.request_id}.`],
  });
  return 'done';
}
