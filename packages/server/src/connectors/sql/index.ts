export type { StoreState } from './check-schema.ts';
export * from './compiled.ts';
export * from './live-table.ts';
export * from './quote.ts';
export * from './sql-connector.ts';
export * from './sql-dialect.ts';
export * from './sql-error.ts';
export * from './sql-transaction.ts';
