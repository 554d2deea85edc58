import type { Command } from 'commander';
import type { VerifyOptions } from '../actions/verify.ts';
import type { Run } from '../verb.ts';

/** `habeas verify`: whether a receipt is what the audit log holds, or the log only grew; offline. */
export function verifyVerb(program: Command, run: Run): void {
  program
    .command('verify')
    .description('verify a receipt, or that the audit log only grew; offline')
    .argument('<file>', 'what `habeas request receipt ID --json` or `habeas audit consistency` printed')
    .requiredOption(
      '--trust <file>',
      'the keys to trust, as `habeas audit keys` prints them; or one such key',
    )
    .option('--since <file>', 'an earlier checkpoint: then the file is a proof of consistency')
    .option('--json', 'print JSON for programs')
    .action((file: string, options: VerifyOptions) =>
      run(async (context) => (await import('../actions/verify.ts')).verifyGiven(context, file, options)),
    );
}
