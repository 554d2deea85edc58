import type { Command } from 'commander';
import type { CheckOptions } from '../actions/check.ts';
import { withConfigOptions } from '../context.ts';
import type { Run } from '../verb.ts';

/** `habeas check`: what is wrong with configuration, policy and datasets, each with its line. */
export function checkVerb(program: Command, run: Run): void {
  withConfigOptions(
    program
      .command('check')
      .description(
        'look for mistakes in configuration, policy and datasets, and compare them with the live schema',
      )
      .option('--offline', 'compare with no database'),
  ).action((options: CheckOptions) =>
    run(async (context) => (await import('../actions/check.ts')).check(context, options)),
  );
}
