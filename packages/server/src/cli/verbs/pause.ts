import type { api } from '@habeas/contract';
import type { Command } from 'commander';
import { HabeasError } from '../../foundation/errors.ts';
import {
  type CliContext,
  type ConfigOptions,
  clientFor,
  print,
  type ServerOptions,
  withServerOptions,
} from '../context.ts';
import { pauseLines } from '../render/pauses.ts';
import type { Run } from '../verb.ts';

interface SwitchOptions extends ServerOptions, ConfigOptions {
  readonly installation?: true;
}

/** `habeas pause`, `habeas resume`, `habeas pauses`: the switch that stops work. */
export function pauseVerbs(program: Command, run: Run): void {
  withSwitchOptions(
    program
      .command('pause')
      .description('start no more tasks: of one system, or of the whole organization')
      .argument('[system]', 'name of a system in plans (default: all of them)')
      .requiredOption('--reason <text>', 'why; no personal data'),
  ).action((system: string | undefined, options: SwitchOptions & { readonly reason: string }) =>
    run(async (context) => {
      const { reason } = options;
      return said(context, options, {
        byServer: () => clientFor(context, options).pause({ system: system ?? null, reason }),
        direct: async () =>
          (await import('../actions/pause-installation.ts')).pauseInstallation(context, options, reason),
        system,
      });
    }),
  );
  withSwitchOptions(
    program
      .command('resume')
      .description('let work go on that was paused')
      .argument('[system]', 'the pause of this system (default: the one of the organization)'),
  ).action((system: string | undefined, options: SwitchOptions) =>
    run(async (context) =>
      said(context, options, {
        byServer: () => clientFor(context, options).resume({ system: system ?? null }),
        direct: async () =>
          (await import('../actions/pause-installation.ts')).resumeInstallation(context, options),
        system,
      }),
    ),
  );
  withServerOptions(program.command('pauses').description('list what is paused, by whom and why')).action(
    (options: ServerOptions) =>
      run(async (context) => {
        const items = await clientFor(context, options).listPauses();
        print(context, options, {
          json: { items },
          lines: () => pauseLines(items, context.terminal.width, context.paint),
        });
        return 'done';
      }),
  );
}

function withSwitchOptions(command: Command): Command {
  return withServerOptions(command)
    .option('--installation', 'all organizations on this database, by its configuration and without a server')
    .option('--config <file>', 'with --installation: configuration file (default: habeas.yaml)');
}

async function said(
  context: CliContext,
  options: SwitchOptions,
  ways: {
    readonly byServer: () => Promise<readonly api.PauseView[]>;
    readonly direct: () => Promise<readonly api.PauseView[]>;
    readonly system: string | undefined;
  },
): Promise<'done'> {
  if (options.installation === true && ways.system !== undefined)
    throw new HabeasError('BAD_INPUT', 'Name a system, or --installation for everything; not both.');
  const items = await (options.installation === true ? ways.direct() : ways.byServer());
  print(context, options, {
    json: { items },
    lines: () => pauseLines(items, context.terminal.width, context.paint),
  });
  return 'done';
}
