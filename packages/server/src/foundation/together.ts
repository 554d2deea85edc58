import { type DatabaseConnection, PostgresDialect, Transaction } from 'kysely';
import type { Database } from './database.ts';
import { HabeasClient } from './habeas-client.ts';

/** Only asked by what nobody does with a transaction: looking at the schema, and ending the database. */
const dialect = new PostgresDialect({ pool: () => Promise.reject(new Error('This has no connections.')) });
const UNUSED = { config: { dialect }, dialect, driver: dialect.createDriver() };

/**
 * Begins what needs nothing of each other's answers: each statement is sent without a wait for the answer of the one before, and PostgreSQL runs them
 * one after the other, in the order in which they were begun (pipelining). Waits for all, and then throws the first failure: what comes behind it fails too.
 */
export async function together<const Results extends readonly unknown[]>(
  transaction: Database,
  begin: (pipelined: Database) => { readonly [Index in keyof Results]: Promise<Results[Index]> },
): Promise<Results> {
  const executor = transaction.getExecutor();
  return await executor.provideConnection(async (connection) => {
    const at = pipelined(connection);
    // A transaction of Kysely's would have each statement wait for the one before.
    const provider = {
      provideConnection: <Result>(use: (at: DatabaseConnection) => Promise<Result>) => use(at),
    };
    const begun = begin(new Transaction({ ...UNUSED, executor: executor.withConnectionProvider(provider) }));
    let failure: { readonly error: unknown } | undefined;
    const noteFailure = (error: unknown): void => {
      failure ??= { error };
    };
    for (const one of begun) one.catch(noteFailure);
    await Promise.allSettled(begun);
    if (failure !== undefined) throw failure.error;
    return (await Promise.all(begun)) as unknown as Results;
  });
}

function pipelined(connection: DatabaseConnection): DatabaseConnection {
  return {
    executeQuery(...query) {
      // The driver hands the statement over before it waits for anything.
      HabeasClient.isTogether = true;
      try {
        return connection.executeQuery(...query);
      } finally {
        HabeasClient.isTogether = false;
      }
    },
    streamQuery: (...query) => connection.streamQuery(...query),
  };
}
