import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { jobNameOf, parseJobHeader } from './job-file.ts';

/** A file of SQL that says what it is for, whether it ever ran or not. */
export interface DeclaredJob {
  readonly job: string;
  /** undefined: the file does not say, or says two; it would be refused if it ran. */
  readonly purpose: string | undefined;
  /** undefined: the only target. */
  readonly target: string | undefined;
}

/**
 * The jobs of a folder and of those below it, by name, as `habeas job run` names them from `from`. Without the folder there are none.
 * Throws BAD_INPUT for a file whose path names no job.
 */
export function declaredJobs(folder: string, from: string): readonly DeclaredJob[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.sql'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => {
      const { purpose, target } = parseJobHeader(readFileSync(path, 'utf8'));
      return {
        job: jobNameOf(relative(from, path)),
        purpose: purpose?.length === 1 ? purpose[0] : undefined,
        target: target?.[0],
      };
    })
    .sort((one, other) => (one.job < other.job ? -1 : 1));
}
