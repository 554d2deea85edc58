import { HabeasError } from '../foundation/errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'Its disk is full. Make room, or name another place.',
  EDQUOT: 'There is no more room for this user. Make room, or name another place.',
  EACCES: 'This user may not write there. Allow it, or name another place.',
  EROFS: 'Its disk can only be read. Name another place.',
  ENOENT: 'There is no such folder. Make it, or name another place.',
  EPIPE: 'Whoever read it has stopped. Have it read to the end, or write to a file.',
  EISDIR: 'It is a folder. Name a file in it.',
};

/** What is told of a file, or of standard output, that cannot be written, and what to do. */
export function notWritten(path: string, cause: unknown, more = ''): HabeasError {
  const { code = 'no code' } = cause as NodeJS.ErrnoException;
  const reason = REASONS[code] ?? `The system says ${code}.`;
  return new HabeasError('BAD_INPUT', `${path} cannot be written. ${reason}${more}`, { cause });
}
