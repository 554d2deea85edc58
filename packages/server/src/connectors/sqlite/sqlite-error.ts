import { HabeasError } from '../../foundation/index.ts';
import type { SqlCause } from '../sql/index.ts';
import type { SqliteFailure } from './sqlite-messages.ts';

/** Result codes of SQLite: https://www.sqlite.org/rescode.html. The low byte is the primary one. */
const PRIMARY = 0xff;
const BUSY = 5;
const LOCKED = 6;
const READ_ONLY = 8;
const INPUT_OUTPUT = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const CONSTRAINT = 19;
/** Extended: a trigger's `raise`. */
const TRIGGER = 1811;
const MISMATCH = 20;
const NO_DATABASE = 26;

/** What SQLite reported, without a word of its message. */
export function fromSqliteFailure(failure: SqliteFailure, system: string): HabeasError {
  const code = failure.code & PRIMARY;
  const place = failure.constraint === undefined ? '' : ` (${failure.constraint})`;
  if (code === BUSY || code === LOCKED)
    return new HabeasError(
      'SYSTEM_FAILED',
      `Another program holds the file of ${system} locked; nothing was changed.`,
      { cause: causeOf(failure), retryable: true },
    );
  if (code === CANNOT_OPEN || code === INPUT_OUTPUT)
    return new HabeasError(
      'SYSTEM_UNREACHABLE',
      `The file of ${system} cannot be read or written (SQLite result ${failure.code}). Is it there, with its folder writable?`,
      { cause: causeOf(failure), retryable: true },
    );
  if (code === CORRUPT || code === NO_DATABASE)
    return new HabeasError(
      'SYSTEM_FAILED',
      `The file of ${system} is no SQLite database, or is damaged. Nothing was changed.`,
      { cause: causeOf(failure) },
    );
  if (code === READ_ONLY)
    return new HabeasError(
      'SYSTEM_REFUSED',
      `The file of ${system}, or its folder, may not be written by this user. Nothing was changed.`,
      { cause: causeOf(failure) },
    );
  if (code === FULL)
    return new HabeasError('SYSTEM_FAILED', `The disk of ${system} is full; nothing was changed.`, {
      cause: causeOf(failure),
      retryable: true,
    });
  if (failure.isSchema)
    return new HabeasError(
      'SCHEMA_MISMATCH',
      `A table or column of ${system} is gone since it was last looked at. Run \`habeas check\` and correct the dataset.`,
      { cause: causeOf(failure), retryable: true },
    );
  if (failure.isForeignKey)
    return new HabeasError(
      'SYSTEM_FAILED',
      `${system} rolled back, nothing was changed: rows that the dataset does not reach point at rows that had to be deleted. Add the reference to the dataset, or wait: if the rows are new, they are found when the keys are located again.`,
      { cause: causeOf(failure) },
    );
  if (failure.code === TRIGGER)
    return new HabeasError(
      'SYSTEM_FAILED',
      `${system} rolled back, nothing was changed: a trigger of the database refuses the change. Look at the triggers of its tables.`,
      { cause: causeOf(failure) },
    );
  if (code === CONSTRAINT || code === MISMATCH)
    return new HabeasError(
      'SYSTEM_FAILED',
      `${system} rolled back, nothing was changed: a mask breaks a rule of the table${place}. Choose another mask in the dataset.`,
      { cause: causeOf(failure) },
    );
  return new HabeasError(
    'SYSTEM_FAILED',
    `SQLite of ${system} failed with the result ${failure.code}; the transaction was rolled back, nothing was changed.`,
    { cause: causeOf(failure) },
  );
}

/** The SQLSTATE classes that other stores report for the same. */
function causeOf({ code, constraint }: SqliteFailure): SqlCause & { readonly sqlite: number } {
  const primary = code & PRIMARY;
  const sqlState = primary === CONSTRAINT ? '23000' : primary === MISMATCH ? '22000' : undefined;
  return { sqlState, constraint, sqlite: code };
}
