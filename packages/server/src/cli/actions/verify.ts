import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { NotVerified, parseTrust, type TrustedKey, verifyFile } from '../../audit/index.ts';
import { HabeasError } from '../../foundation/errors.ts';
import { type CliContext, print } from '../context.ts';
import { readGiven } from '../read-given.ts';
import { verdictLines } from '../render/verdict.ts';

export interface VerifyOptions {
  readonly trust: string;
  readonly since?: string;
  readonly json?: true;
}

/** Whether a receipt is what the audit log holds, or the log only grew; offline. */
export function verifyGiven(context: CliContext, file: string, options: VerifyOptions): 'done' | 'failed' {
  const text = readGiven(context, file);
  const since = options.since === undefined ? undefined : readGiven(context, options.since);
  const verdict = verifyFile({ text, since, trust: trustOf(context, options.trust) });
  print(context, options, { json: verdict, lines: () => verdictLines(verdict, context.paint) });
  return verdict.verified ? 'done' : 'failed';
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
