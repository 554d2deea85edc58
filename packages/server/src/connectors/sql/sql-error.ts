import { HabeasError } from '../../foundation/index.ts';

/** What a store said of a failed statement, beside its text. */
export interface SqlCause {
  /** The SQLSTATE, or one of the same class for stores that have none. */
  readonly sqlState?: unknown;
  /** Where PostgreSQL has its SQLSTATE. */
  readonly code?: unknown;
  readonly constraint?: unknown;
}

/** Whether a new value was refused: data exceptions (SQLSTATE class 22) and broken constraints (class 23). */
export function isAboutValue(error: unknown): boolean {
  const { sqlState: told, code } = causeOf(error);
  const sqlState = told ?? code;
  return typeof sqlState === 'string' && /^2[23]/.test(sqlState);
}

/** The constraint that was broken, by its name. */
export function constraintOf(error: unknown): string | undefined {
  const { constraint } = causeOf(error);
  return typeof constraint === 'string' ? constraint : undefined;
}

/**
 * Runs a statement that may fail because of a value, in a savepoint, because a failure may end a transaction. Undefined: it failed so.
 */
export async function tried<Result>(
  transaction: { script(statements: readonly string[]): Promise<void> },
  run: () => Promise<Result>,
): Promise<Result | undefined> {
  await transaction.script(['savepoint tried']);
  try {
    const result = await run();
    await transaction.script(['release savepoint tried']);
    return result;
  } catch (error) {
    if (!isAboutValue(error)) throw error;
    await transaction.script(['rollback to savepoint tried', 'release savepoint tried']);
    return undefined;
  }
}

function causeOf(error: unknown): SqlCause {
  const cause = error instanceof HabeasError ? error.cause : undefined;
  return typeof cause === 'object' && cause !== null ? cause : {};
}
