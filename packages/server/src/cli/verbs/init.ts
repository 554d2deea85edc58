import type { Command } from 'commander';
import type { InitOptions } from '../actions/init.ts';
import { withConfigOptions } from '../context.ts';
import type { Run } from '../verb.ts';

/** `habeas init`: a first configuration and dataset from the live schema of a database. */
export function initVerb(program: Command, run: Run): void {
  withConfigOptions(
    program
      .command('init')
      .description('draft habeas.yaml and a dataset from the live schema of a PostgreSQL database')
      .requiredOption('--database-url <url>', 'the database; a password in it is not written to any file')
      .option('--key <key>', 'name of the system (default: name of the database)')
      .option('--team <name>', 'whose data it is (default: the key)')
      .option(
        '--service <name>',
        'the service whose data it is, as it is named in declarations (default: the key)',
      )
      .option('--force', 'overwrite files that exist'),
  ).action((options: InitOptions) =>
    run(async (context) => (await import('../actions/init.ts')).init(context, options)),
  );
}
