import type { Command } from 'commander';
import { type ConfigOptions, withConfigOptions } from '../context.ts';
import type { Run } from '../verb.ts';

interface NotifyTestOptions extends ConfigOptions {
  readonly team?: string;
}

/** `habeas notify test`: sends each configured receiver a message, from this machine. */
export function notifyVerb(program: Command, run: Run): void {
  const notify = program.command('notify').description('who is told what happens, by mail and webhook');
  withConfigOptions(
    notify
      .command('test')
      .description('send a test message to each receiver of the configuration, from this machine')
      .option('--team <name>', 'only to what this team has'),
  ).action((options: NotifyTestOptions) =>
    run(async (context) => (await import('../actions/notify-test.ts')).notifyTest(context, options)),
  );
}
