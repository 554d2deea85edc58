import type { Command } from 'commander';
import { type ConfigOptions, withConfigOptions } from '../context.ts';
import type { Run } from '../verb.ts';

/** `habeas doctor`: looks at everything that a server needs and says what to do about what is missing. */
export function doctorVerb(program: Command, run: Run): void {
  withConfigOptions(
    program
      .command('doctor')
      .description('look at everything that a server needs, and say what to do about what is missing'),
  ).action((options: ConfigOptions) =>
    run(async (context) => (await import('../actions/doctor.ts')).doctor(context, options)),
  );
}
