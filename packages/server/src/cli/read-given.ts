import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { HabeasError } from '../foundation/errors.ts';
import type { CliContext } from './context.ts';

/** What a file that the user named holds. Throws BAD_INPUT. */
export function readGiven(context: CliContext, file: string): string {
  try {
    return readFileSync(resolve(context.folder, file), 'utf8');
  } catch (cause) {
    throw new HabeasError('BAD_INPUT', `${file} cannot be read.`, { cause });
  }
}
