import type { Command } from 'commander';
import type { VerifyLogOptions } from '../actions/verify-log.ts';
import { clientFor, print, type ServerOptions, withConfigOptions, withServerOptions } from '../context.ts';
import { readGiven } from '../read-given.ts';
import type { Run } from '../verb.ts';

/** `habeas audit checkpoint|consistency|keys|verify`: the audit log as those see it who verify it. */
export function auditLogVerbs(audit: Command, run: Run): void {
  withServerOptions(
    audit.command('checkpoint').description('print the newest checkpoint of the audit log, a signed note'),
  ).action((options: ServerOptions) =>
    run(async (context) => {
      const checkpoint = await clientFor(context, options).getCheckpoint();
      print(context, options, { json: { checkpoint }, lines: () => [checkpoint.trimEnd()] });
      return 'done';
    }),
  );

  withServerOptions(
    audit
      .command('consistency')
      .description('print the proof that the audit log only grew since an earlier checkpoint (JSON)')
      .requiredOption('--since <file>', 'the earlier checkpoint'),
  ).action((options: ServerOptions & { readonly since: string }) =>
    run(async (context) => {
      const [, size = ''] = readGiven(context, options.since).split('\n');
      const proof = await clientFor(context, options).proveConsistency(size);
      print(context, { json: true }, { json: proof, lines: () => [] });
      return 'done';
    }),
  );

  withServerOptions(
    audit
      .command('keys')
      .description('print the keys by which receipts and checkpoints are verified: a trust file'),
  ).action((options: ServerOptions) =>
    run(async (context) => {
      const items = (await clientFor(context, options).getVerifierKeys()).trimEnd().split('\n');
      print(context, options, { json: { items }, lines: () => items });
      return 'done';
    }),
  );

  withConfigOptions(
    audit
      .command('verify')
      .description('recompute the whole audit log from the database, and name the first bad entry')
      .option('--since <file...>', 'checkpoints that were published: the log must continue each'),
  ).action((options: VerifyLogOptions) =>
    run(async (context) => (await import('../actions/verify-log.ts')).verifyLog(context, options)),
  );
}
