import type { Command } from 'commander';
import { clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import { count as parseCount } from '../option-values.ts';
import { auditLines } from '../render/audit.ts';
import type { Run } from '../verb.ts';
import { auditLogVerbs } from './audit-log.ts';

interface AuditOptions extends ServerOptions {
  readonly request?: string;
  readonly subject?: string;
  readonly limit: number;
}

/** `habeas audit`: who did what, newest first. */
export function auditVerb(program: Command, run: Run): void {
  // What stands after the name of a command below belongs to that command.
  const audit = program.command('audit').enablePositionalOptions();
  auditLogVerbs(audit, run);
  withServerOptions(
    audit
      .description('show who did what, newest first')
      .option('--request <id>', 'only entries about this request and its tasks')
      .option('--subject <id>', 'only entries about this one request, task, client or key')
      .option('--limit <n>', 'how many entries', parseCount, 50),
  ).action((options: AuditOptions) =>
    run(async (context) => {
      const page = await clientFor(context, options).listAudit({
        request: options.request,
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
