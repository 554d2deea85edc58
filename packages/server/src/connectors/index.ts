export * from './connections.ts';
export * from './connector.ts';
