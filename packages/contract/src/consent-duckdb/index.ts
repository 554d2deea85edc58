export {
  type DuckDbConnection,
  type DuckDbTable,
  type EnforceDuckDbOptions,
  type EnforcedDuckDb,
  enforceDuckDb,
} from './enforce-duckdb.ts';
export { SqlRefusedError } from './sql-refused-error.ts';
