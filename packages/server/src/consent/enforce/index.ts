export * from './catalog-snapshot.ts';
export * from './create-catalog.ts';
export * from './enforce-sql.ts';
export * from './load-snapshot.ts';
export * from './relation-catalog.ts';
export { identifierText } from './relation-span.ts';
export { loadParser, refused } from './sql-tree.ts';
export * from './written-rows.ts';
