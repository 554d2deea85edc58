export * from './connections.ts';
export * from './connector.ts';
export * from './plannable-system.ts';
export * from './systems.ts';
