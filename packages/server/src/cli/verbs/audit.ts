import type { Command } from 'commander';
import { clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import { count as parseCount } from '../option-values.ts';
import { auditLines } from '../render/audit.ts';
import type { Run } from '../verb.ts';

interface AuditOptions extends ServerOptions {
  readonly subject?: string;
  readonly limit: number;
}

/** `habeas audit`: who did what, newest first. */
export function auditVerb(program: Command, run: Run): void {
  withServerOptions(
    program
      .command('audit')
      .description('show who did what, newest first')
      .option('--subject <id>', 'only entries about this request, task, client or key')
      .option('--limit <n>', 'how many entries', parseCount, 50),
  ).action((options: AuditOptions) =>
    run(async (context) => {
      const page = await clientFor(context, options).listAudit({
        subject: options.subject,
        limit: options.limit,
      });
      print(context, options, {
        json: page,
        lines: () => auditLines(page, context.terminal.width, context.paint),
      });
      return 'done';
    }),
  );
}
