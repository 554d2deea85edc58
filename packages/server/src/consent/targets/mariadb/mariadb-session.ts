import type { ExecuteValues } from 'mysql2/promise';

/** A connection that runs one statement at a time. */
export interface MariadbSession {
  rows<Row>(text: string, values?: ExecuteValues): Promise<readonly Row[]>;
  /** Gives how many rows it changed. */
  change(text: string, values?: ExecuteValues): Promise<number>;
  /** Runs a statement that cannot be prepared. */
  run(text: string): Promise<void>;
}
