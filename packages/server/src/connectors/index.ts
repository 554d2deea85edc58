export * from './configured-connections.ts';
export * from './connections.ts';
export * from './connector.ts';
export * from './pd-client/index.ts';
export * from './plannable-system.ts';
export * from './postgres/index.ts';
export * from './systems.ts';
