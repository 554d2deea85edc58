import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { api } from '@habeas/contract';
import type { Command } from 'commander';
import { HabeasError } from '../../foundation/errors.ts';
import { clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import { list } from '../option-values.ts';
import { partnerLines } from '../render/partners.ts';
import type { Run } from '../verb.ts';

interface WithOrigins extends ServerOptions {
  readonly callback?: readonly string[];
}

/** `habeas partners`: other organizations' systems that may send requests. */
export function partnersVerb(program: Command, run: Run): void {
  const partners = program
    .command('partners')
    .description("other organizations' systems that send requests: controllers (OpenDSR), agents (DRP)");
  withServerOptions(
    partners
      .command('list', { isDefault: true })
      .description('list partners, newest first; no token is shown'),
  ).action((options: ServerOptions) =>
    run(async (context) => {
      const items = await clientFor(context, options).listPartners();
      const { width } = context.terminal;
      print(context, options, {
        json: { items },
        lines: () => partnerLines(items, { width, paint: context.paint }),
      });
      return 'done';
    }),
  );
  withServerOptions(
    partners
      .command('add-controller')
      .description('register a controller that speaks OpenDSR, and print its token, once')
      .argument('<controller-id>', 'comes back in every answer to it')
      .requiredOption('--name <name>', 'what it is; no personal data')
      .option(
        '--callback <origin>',
        'where its callbacks may go, such as https://dsr.example; repeatable',
        list,
      ),
  ).action((controllerId: string, options: WithOrigins & { readonly name: string }) =>
    run(async (context) => {
      const made = await clientFor(context, options).registerController({
        controller_id: controllerId,
        name: options.name,
        callback_origins: [...(options.callback ?? [])],
      });
      print(context, options, {
        json: made,
        lines: () => [
          `Controller ${made.partner_id} (${made.id}). Its token, shown this once; only its hash is stored:`,
          '',
          `  ${made.token}`,
        ],
      });
      return 'done';
    }),
  );
  withServerOptions(
    partners
      .command('add-agents')
      .description('register agents of the Data Rights Protocol')
      .argument('<file>', 'JSON as the service directory has it: a list of agents')
      .option('--callback <origin>', 'where callbacks of all of them may go; repeatable', list),
  ).action((file: string, options: WithOrigins) =>
    run(async (context) => {
      const agents = readAgents(resolve(context.folder, file), options.callback ?? []);
      const items = await clientFor(context, options).registerAgents({ agents: [...agents] });
      const { width } = context.terminal;
      print(context, options, {
        json: { items },
        lines: () => partnerLines(items, { width, paint: context.paint }),
      });
      return 'done';
    }),
  );
  withServerOptions(
    partners
      .command('allow-callbacks')
      .description('say where the callbacks of a partner may go; what is not named any more is not called')
      .argument('<id>')
      .argument('[origin...]', 'such as https://dsr.partner.example; none: nowhere'),
  ).action((id: string, origins: readonly string[], options: ServerOptions) =>
    run(async (context) => {
      const partner = await clientFor(context, options).allowCallbacks(id, {
        callback_origins: [...origins],
      });
      const where =
        origins.length === 0 ? 'is not called' : `may be called at ${partner.callback_origins.join(', ')}`;
      print(context, options, { json: partner, lines: () => [`Partner ${partner.partner_id} ${where}.`] });
      return 'done';
    }),
  );
  withServerOptions(
    partners
      .command('revoke')
      .description('revoke a partner: from now on nothing of it is taken')
      .argument('<id>'),
  ).action((id: string, options: ServerOptions) =>
    run(async (context) => {
      const revoked = await clientFor(context, options).revokePartner(id);
      print(context, options, { json: revoked, lines: () => [`Partner ${revoked.partner_id} is revoked.`] });
      return 'done';
    }),
  );
}

function readAgents(file: string, origins: readonly string[]): readonly api.DirectoryAgent[] {
  try {
    const agents = api.agentDirectorySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return agents.map((agent) => ({ ...agent, callback_origins: [...agent.callback_origins, ...origins] }));
  } catch (cause) {
    throw new HabeasError(
      'BAD_INPUT',
      `${file} is not a list of agents, each with id, name and verify_key (32 bytes in base64).`,
      { cause, place: { file } },
    );
  }
}
