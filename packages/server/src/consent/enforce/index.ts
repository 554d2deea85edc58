export * from './catalog-snapshot.ts';
export * from './create-catalog.ts';
export * from './enforce-sql.ts';
export * from './load-snapshot.ts';
export * from './relation-catalog.ts';
export { loadParser } from './sql-tree.ts';
