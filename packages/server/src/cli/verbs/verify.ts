import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { NotVerified, parseTrust, type TrustedKey, verifyFile } from '../../audit/index.ts';
import { HabeasError } from '../../foundation/errors.ts';
import { type CliContext, print } from '../context.ts';
import { verdictLines } from '../render/verdict.ts';
import type { Run } from '../verb.ts';

interface VerifyOptions {
  readonly trust: string;
  readonly since?: string;
  readonly json?: true;
}

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
      run(async (context) => {
        const text = readGiven(context, file);
        const since = options.since === undefined ? undefined : readGiven(context, options.since);
        const verdict = verifyFile({ text, since, trust: trustOf(context, options.trust) });
        print(context, options, { json: verdict, lines: () => verdictLines(verdict, context.paint) });
        return verdict.verified ? 'done' : 'failed';
      }),
    );
}

function trustOf(context: CliContext, given: string): readonly TrustedKey[] {
  const isFile = existsSync(resolve(context.folder, given));
  try {
    return parseTrust(isFile ? readGiven(context, given) : given);
  } catch (error) {
    if (!(error instanceof NotVerified)) throw error;
    throw new HabeasError('BAD_INPUT', `--trust: ${error.message}. \`habeas audit keys\` prints them.`);
  }
}

/** What a file that the user named holds. Throws BAD_INPUT. */
export function readGiven(context: CliContext, file: string): string {
  try {
    return readFileSync(resolve(context.folder, file), 'utf8');
  } catch (cause) {
    throw new HabeasError('BAD_INPUT', `${file} cannot be read.`, { cause });
  }
}
