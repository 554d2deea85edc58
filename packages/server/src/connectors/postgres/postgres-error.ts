import { HabeasError } from '../../foundation/index.ts';

interface DatabaseError {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly schema?: unknown;
  readonly table?: unknown;
  readonly column?: unknown;
  readonly constraint?: unknown;
}

/** Conditions that pass by themselves: the transaction was rolled back as a whole and may be tried again. */
const RETRYABLE: ReadonlySet<string> = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available
  '53300', // too_many_connections
  '53200', // out_of_memory
  '57014', // query_canceled, by the server's own time limit
]);

const UNREACHABLE = /^(08|57P|ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH)/;

/**
 * What PostgreSQL reported, without a word of its message: messages and details quote values of rows. Names of tables, columns
 * and constraints and the SQLSTATE are safe and tell what to look at.
 */
export function fromPostgresError(reason: unknown, system: string): HabeasError {
  if (reason instanceof HabeasError) return reason;
  const error = (typeof reason === 'object' && reason !== null ? reason : {}) as DatabaseError;
  const code = typeof error.code === 'string' ? error.code : '';
  if (UNREACHABLE.test(code) || (code === '' && isConnectionLoss(reason))) {
    return new HabeasError(
      'SYSTEM_UNREACHABLE',
      `PostgreSQL of ${system} cannot be reached. Is it running, and is its address right?`,
      {
        cause: reason,
        retryable: true,
      },
    );
  }
  if (code.startsWith('28')) {
    return new HabeasError(
      'SYSTEM_REFUSED',
      `PostgreSQL of ${system} refuses the user or the password of the connection.`,
      { cause: reason },
    );
  }
  if (code === '42501') {
    return new HabeasError(
      'SYSTEM_REFUSED',
      `The user of the connection ${system} may not do that${placeIn(error)}. Grant it select, update and delete on the tables of the dataset.`,
      { cause: reason },
    );
  }
  if (code === '25006') {
    return new HabeasError(
      'SYSTEM_REFUSED',
      `PostgreSQL of ${system} takes no changes. Where it is a replica, connect to the primary; else look at default_transaction_read_only.`,
      // After a failover it may be the primary in a moment.
      { cause: reason, retryable: true },
    );
  }
  if (code === '42P01' || code === '42703') {
    return new HabeasError(
      'SCHEMA_MISMATCH',
      `A table or column of ${system} is gone since it was last looked at. Run \`habeas check\` and correct the dataset.`,
      { cause: reason, retryable: true },
    );
  }
  if (code === '23503') {
    return new HabeasError(
      'SYSTEM_FAILED',
      `${system} rolled back, nothing was changed: rows that the dataset does not reach point at rows that had to be deleted${placeIn(error)}. Add the reference to the dataset, or wait: if the rows are new, they are found when the keys are located again.`,
      { cause: reason },
    );
  }
  if (code.startsWith('23')) {
    return new HabeasError(
      'SYSTEM_FAILED',
      `${system} rolled back, nothing was changed: a mask breaks a rule of the table${placeIn(error)}. Choose another mask in the dataset.`,
      { cause: reason },
    );
  }
  const retryable = RETRYABLE.has(code) || isRedshiftConflict(code, error);
  return new HabeasError(
    'SYSTEM_FAILED',
    `PostgreSQL of ${system} failed with SQLSTATE ${code === '' ? 'unknown' : code}${placeIn(error)}; the transaction was rolled back, nothing was changed.`,
    { cause: reason, retryable },
  );
}

/** Redshift has no SQLSTATE for two transactions that changed one table at the same time: its text begins with the number 1023. */
function isRedshiftConflict(code: string, { message }: DatabaseError): boolean {
  return code === 'XX000' && typeof message === 'string' && /^1023\b/.test(message);
}

function placeIn(error: DatabaseError): string {
  const parts = [
    typeof error.constraint === 'string' ? `constraint ${error.constraint}` : undefined,
    typeof error.table === 'string' ? `table ${error.table}` : undefined,
    typeof error.column === 'string' ? `column ${error.column}` : undefined,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

function isConnectionLoss(reason: unknown): boolean {
  return reason instanceof Error && /terminat|connection|ended|closed|timeout exceeded/i.test(reason.message);
}
