import { open, stat } from 'node:fs/promises';
import { HabeasError } from '../foundation/errors.ts';

/** A file of what became of the rows of a list. */
export interface Report extends AsyncDisposable {
  /** Resolves when it is written. Throws BAD_INPUT where that cannot be. */
  write(text: string): Promise<void>;
}

/**
 * Opens it before any row is sent: nobody is to learn after an hour that the report has no place. `goesOn`: what stands there is of rows before, and stays.
 * `list`: where the rows are read from. Throws BAD_INPUT, also for the list itself, which would be empty then.
 */
export async function openReport(
  path: string,
  { list, goesOn = false }: { readonly list: string; readonly goesOn?: boolean },
): Promise<Report> {
  if (await isSame(path, list))
    throw new HabeasError('BAD_INPUT', `${path} is the list itself. Name another file.`);
  const file = await open(path, goesOn ? 'a' : 'w').catch(fail(path));
  return {
    write: (text) => file.appendFile(text).catch(fail(path)),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** Two names of one file, links among them. */
async function isSame(one: string, other: string): Promise<boolean> {
  // What is not there is no file of anything, and what cannot be looked at is told by who opens it.
  const [first, second] = await Promise.all([one, other].map((path) => stat(path).catch(() => undefined)));
  return first !== undefined && first.ino === second?.ino && first.dev === second.dev;
}

function fail(path: string) {
  return (cause: NodeJS.ErrnoException): never => {
    throw new HabeasError(
      'BAD_INPUT',
      `${path} cannot be written (${cause.code}). Name a file in a folder that is there and has room.`,
      { cause },
    );
  };
}
