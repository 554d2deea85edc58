import { HabeasError } from '../../foundation/index.ts';
import type { SqlCause } from '../sql/index.ts';

interface DatabaseError {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly sqlState?: unknown;
  readonly message?: unknown;
  /** The driver's word for a connection that is no more; one that was ended before a statement has no number. */
  readonly fatal?: unknown;
}

/** Error numbers of MariaDB and MySQL: https://mariadb.com/kb/en/mariadb-error-codes/. Conditions that pass by themselves. */
const RETRYABLE: ReadonlySet<unknown> = new Set([
  1205, // lock wait timeout
  1213, // deadlock
  1040, // too many connections
  1203, // too many connections of the user
  1317, // query interrupted
  1969, // max_statement_time of MariaDB
  3024, // max_execution_time of MySQL
  1020, // record has changed since last read
]);
const REFUSED: ReadonlySet<unknown> = new Set([1044, 1045, 1698, 1251]);
const NOT_ALLOWED: ReadonlySet<unknown> = new Set([1142, 1143, 1227, 1370]);
const READ_ONLY: ReadonlySet<unknown> = new Set([1290, 1836, 1792]);
const MISSING: ReadonlySet<unknown> = new Set([1146, 1054, 1051]);
/** Values that do not fit: truncated, out of range, too long, none of an enumeration, no JSON. */
const VALUE: ReadonlySet<unknown> = new Set([1264, 1265, 1292, 1366, 1406, 1367, 1411, 3140, 3141]);
/** A check constraint, of MariaDB and of MySQL. */
const CHECKS: ReadonlySet<unknown> = new Set([4025, 3819]);
const UNREACHABLE = /^(ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|PROTOCOL_|HANDSHAKE_)/;
const ENDS = new Set<unknown>([1053, 1152, 1153, 2006, 2013, 1927]);

/** What the server reported, without a word of its message but the names of constraints: messages quote values of rows. */
export function fromMysqlError(reason: unknown, system: string): HabeasError {
  if (reason instanceof HabeasError) return reason;
  const error = (typeof reason === 'object' && reason !== null ? reason : {}) as DatabaseError;
  const { errno } = error;
  const code = typeof error.code === 'string' ? error.code : '';
  const cause = causeOf(error);
  const place = cause.constraint === undefined ? '' : ` (constraint ${cause.constraint})`;
  if (UNREACHABLE.test(code) || ENDS.has(errno) || (error.fatal === true && errno === undefined))
    return new HabeasError(
      'SYSTEM_UNREACHABLE',
      `The database of ${system} cannot be reached. Is it running, and is its address right?`,
      { cause, retryable: true },
    );
  if (REFUSED.has(errno))
    return new HabeasError(
      'SYSTEM_REFUSED',
      `The database of ${system} refuses the user or the password of the connection, or its database.`,
      { cause },
    );
  if (NOT_ALLOWED.has(errno))
    return new HabeasError(
      'SYSTEM_REFUSED',
      `The user of the connection ${system} may not do that. Grant it select, update, delete and create temporary tables on the database.`,
      { cause },
    );
  if (READ_ONLY.has(errno))
    return new HabeasError(
      'SYSTEM_REFUSED',
      `The database of ${system} takes no changes: connect to the primary.`,
      { cause },
    );
  if (MISSING.has(errno))
    return new HabeasError(
      'SCHEMA_MISMATCH',
      `A table or column of ${system} is gone since it was last looked at. Run \`habeas check\` and correct the dataset.`,
      { cause, retryable: true },
    );
  if (errno === 1451 || errno === 1452)
    return new HabeasError(
      'SYSTEM_FAILED',
      `${system} rolled back, nothing was changed: rows that the dataset does not reach point at rows that had to be deleted${place}. Add the reference to the dataset, or wait: if the rows are new, they are found when the keys are located again.`,
      { cause },
    );
  if (`${cause.sqlState}`.startsWith('23') || VALUE.has(errno))
    return new HabeasError(
      'SYSTEM_FAILED',
      `${system} rolled back, nothing was changed: a mask breaks a rule of the table${place}. Choose another mask in the dataset.`,
      { cause },
    );
  return new HabeasError(
    'SYSTEM_FAILED',
    `The database of ${system} failed with error ${typeof errno === 'number' ? errno : 'unknown'}; the transaction was rolled back, nothing was changed.`,
    { cause, retryable: RETRYABLE.has(errno) },
  );
}

function causeOf({ errno, sqlState, message }: DatabaseError): SqlCause & { readonly errno: unknown } {
  const text = typeof message === 'string' ? message : '';
  const constraint =
    /CONSTRAINT [`"]([^`"]+)[`"]/.exec(text)?.[1] ??
    / for key '([^']+)'$/.exec(text)?.[1] ??
    /^Check constraint '([^']+)'/.exec(text)?.[1];
  return { errno, constraint, sqlState: VALUE.has(errno) ? '22000' : CHECKS.has(errno) ? '23000' : sqlState };
}
