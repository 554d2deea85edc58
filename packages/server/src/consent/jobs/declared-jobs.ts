import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isJobName, jobPathOf, parseJobHeader, withoutSuffix } from './job-file.ts';

/** A file of SQL that says what it is for, whether it ever ran or not. */
export interface DeclaredJob {
  readonly job: string;
  /** undefined: the file does not say, or says two, or cannot be read; it would be refused if it ran. */
  readonly purpose: string | undefined;
  /** undefined: the only target. */
  readonly target: string | undefined;
}

/** What a code of a purpose looks like; another word in a file names none. */
const CODE = /^[a-z][a-z0-9_]{0,62}$/;

/**
 * The jobs of a folder and of those below it, by name, as `habeas job run` names them where the configuration is in `from`. Without the folder
 * there are none. Files by whose path no job can be run are none either, nor is what is hidden: a mounted volume has its files a second time there.
 */
export function declaredJobs(folder: string, from: string): readonly DeclaredJob[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.sql') && !path.split(/[\\/]/).some((part) => part.startsWith('.')))
    .map((path) => join(folder, path))
    .filter(isFile)
    .map((path) => ({ path, job: withoutSuffix(jobPathOf(path, { folder: from, jobs: folder })) }))
    .filter(({ job }) => isJobName(job))
    .map(({ path, job }) => {
      const { purpose, target } = parseJobHeader(readable(path));
      const [code] = purpose?.length === 1 ? purpose : [];
      return { job, purpose: code !== undefined && CODE.test(code) ? code : undefined, target: target?.[0] };
    })
    .sort((one, other) => (one.job < other.job ? -1 : 1));
}

/** Also by a link. */
function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function readable(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Nobody can run it; that it is there is listed all the same.
    return '';
  }
}
