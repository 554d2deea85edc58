export * from './data-map.ts';
export * from './declaration.ts';
export * from './system.ts';
