import type { api } from '@habeas/contract';
import type { Command } from 'commander';
import { clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import { clientLines } from '../render/clients.ts';
import type { Run } from '../run-cli.ts';

/** `habeas clients`: addresses that teams published; nothing is sent there before somebody approved it. */
export function clientsVerb(program: Command, run: Run): void {
  const clients = program
    .command('clients')
    .description('list, approve and reject the addresses that teams published');
  withServerOptions(
    clients.command('list', { isDefault: true }).description('list addresses and who approved them'),
  ).action((options: ServerOptions) =>
    run(async (context) => {
      const items = await clientFor(context, options).listClients();
      print(context, options, {
        json: { items },
        lines: () => clientLines(items, context.terminal.width, context.paint),
      });
      return 'done';
    }),
  );
  for (const [verb, description] of [
    ['approve', 'let Habeas send personal data to an address'],
    ['reject', 'never send anything to an address'],
  ] as const) {
    withServerOptions(clients.command(verb).description(description).argument('<id>')).action(
      (id: string, options: ServerOptions) =>
        run(async (context) => {
          const decided = await clientFor(context, options).decideClient(id, verb);
          print(context, options, { json: decided, lines: () => [decision(decided)] });
          return 'done';
        }),
    );
  }
}

function decision(client: api.ClientView): string {
  return `${client.address} of team ${client.team} is ${client.state}.`;
}
