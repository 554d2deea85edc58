import { open } from 'node:fs/promises';
import { HabeasError } from '../foundation/errors.ts';

/** A file of what became of the rows of a list. */
export interface Report extends AsyncDisposable {
  /** Resolves when it is written. Throws BAD_INPUT where that cannot be. */
  write(text: string): Promise<void>;
}

/**
 * Opens it before any row is sent: nobody is to learn after an hour that the report has no place. `goesOn`: what stands there is of rows before, and stays.
 * Throws BAD_INPUT.
 */
export async function openReport(path: string, { goesOn = false } = {}): Promise<Report> {
  const file = await open(path, goesOn ? 'a' : 'w').catch(fail(path));
  return {
    write: (text) => file.appendFile(text).catch(fail(path)),
    [Symbol.asyncDispose]: () => file.close(),
  };
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
