import type { api } from '@habeas/contract';
import type { Command } from 'commander';
import { clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import { clientLines } from '../render/clients.ts';
import type { Run } from '../verb.ts';
import { clientCheckVerb } from './client-check.ts';

/** `habeas clients`: addresses that teams published; nothing is sent there before somebody approved it. */
export function clientsVerb(program: Command, run: Run): void {
  const clients = program
    .command('clients')
    .alias('client')
    .description('list, approve, reject and check the services that answer for personal data');
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
  keysVerb(clients, run);
  clientCheckVerb(clients, run);
}

function keysVerb(clients: Command, run: Run): void {
  withServerOptions(
    clients.command('keys').description("print the public keys by which services know this server's calls"),
  ).action((options: ServerOptions) =>
    run(async (context) => {
      const items = await clientFor(context, options).listPublicKeys();
      print(context, options, { json: { items }, lines: () => items });
      return 'done';
    }),
  );
}

function decision(client: api.ClientView): string {
  return `${client.address} of team ${client.team} is ${client.state}.`;
}
