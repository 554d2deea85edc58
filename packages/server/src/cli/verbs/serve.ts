import { type Command, Option } from 'commander';
import type { ServeOptions } from '../actions/serve.ts';
import { withConfigOptions } from '../context.ts';
import { portNumber } from '../option-values.ts';
import type { Run } from '../verb.ts';

/** `habeas serve`: runs the server until it is told to stop. */
export function serveVerb(program: Command, run: Run): void {
  withConfigOptions(
    program
      .command('serve')
      .description('start the server')
      .option('--host <address>', 'where to listen (default: listen.host of the configuration, or 127.0.0.1)')
      .option(
        '--port <port>',
        'port to listen on (default: listen.port of the configuration, or 7311)',
        portNumber,
      )
      .addOption(
        new Option(
          '--log-level <level>',
          'what goes to standard error (default: warn on a terminal, else info)',
        ).choices(['debug', 'info', 'warn', 'error', 'silent']),
      )
      .option('--new-key', 'make another admin key and print it, for when the first one was lost'),
  ).action((options: ServeOptions) =>
    run(async (context) => (await import('../actions/serve.ts')).serve(context, options)),
  );
}
