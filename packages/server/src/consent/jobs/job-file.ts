import { isAbsolute, relative, sep } from 'node:path';
import { HabeasError } from '../../foundation/index.ts';

/** What the comments at the top of a job say. */
export interface JobHeader {
  readonly purpose: string;
  /** undefined: the only target. */
  readonly target: string | undefined;
}

const LINE = /^--\s*(purpose|target)\s*:(.*)$/i;

/** Some editors write a byte order mark before all else, which is no SQL. */
export function withoutMark(sql: string): string {
  return sql.replace(/^\ufeff/, '');
}

/** What the lines at the top of a file say, each name with all that it says: of a job that may run, one word each. */
export function parseJobHeader(sql: string): Partial<Record<'purpose' | 'target', readonly string[]>> {
  const said: Partial<Record<string, string[]>> = {};
  for (const line of withoutMark(sql).split(/\r?\n/)) {
    if (line.trim() === '') continue;
    if (!line.startsWith('--')) break;
    const [, name, value] = LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    const key = name.toLowerCase();
    said[key] = [...(said[key] ?? []), ...value.split(/[\s,]+/).filter((word) => word !== '')];
  }
  return said;
}

/** Reads `-- purpose: analytics` at the top of a file. Throws BAD_INPUT for a job that does not say its purpose, or says two. */
export function readJobHeader(sql: string, file: string): JobHeader {
  const said = parseJobHeader(sql);
  for (const name of ['purpose', 'target'] as const)
    if ((said[name]?.length ?? 0) > 1)
      throw new HabeasError(
        'BAD_INPUT',
        `${file} names more than one ${name}. A job has one, in a line like: -- ${name}: ${said[name]?.[0]}`,
      );
  const purpose = said.purpose?.[0];
  if (purpose === undefined)
    throw new HabeasError(
      'BAD_INPUT',
      `${file} does not say what it is for. Begin it with a line like: -- purpose: analytics`,
    );
  return { purpose, target: said.target?.[0] };
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/;

/** `jobs/daily/sites.sql` → `daily/sites`. Throws BAD_INPUT for a path that names no job. */
export function jobNameOf(path: string): string {
  const name = withoutSuffix(path);
  if (isJobName(name)) return name;
  throw new HabeasError(
    'BAD_INPUT',
    `${path} is no name of a job: letters, digits, dots, - and _, below the folder of the configuration.`,
  );
}

export function withoutSuffix(path: string): string {
  return path
    .replaceAll('\\', '/')
    .replace(/^(?:\.\/)?(?:jobs\/)?/, '')
    .replace(/\.sql$/, '');
}

export function isJobName(name: string): boolean {
  return NAME.test(name) && !name.includes('..');
}

/** The path from which a job has its name, wherever somebody stands who runs it: seen from the folder of the configuration, or else from that of jobs. */
export function jobPathOf(
  path: string,
  { folder, jobs }: { readonly folder: string; readonly jobs: string },
): string {
  const seen = [folder, jobs].map((from) => relative(from, path));
  return seen.find((one) => !isAbsolute(one) && one.split(sep)[0] !== '..') ?? path;
}
