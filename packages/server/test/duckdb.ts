import { DuckDBInstance } from '@duckdb/node-api';

/** A DuckDB of the test's own: it writes Parquet files and reads them, independently of ours. */
export interface DuckDb extends AsyncDisposable {
  run(sql: string): Promise<void>;
  /** Rows as JSON has them; in the order of the query. */
  rows(sql: string): Promise<readonly Record<string, unknown>[]>;
}

export async function openDuckDb(): Promise<DuckDb> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: '1GB',
    // It knows a file again by its time, and one that is written anew within a few milliseconds has the same.
    enable_external_file_cache: 'false',
  });
  const connection = await instance.connect();
  await connection.run("set timezone = 'UTC'");
  return {
    async run(sql) {
      await connection.run(sql);
    },
    async rows(sql) {
      return (await connection.runAndReadAll(sql)).getRowObjectsJson();
    },
    async [Symbol.asyncDispose]() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}
