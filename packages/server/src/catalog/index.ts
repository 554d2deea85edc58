export * from './collection-shape.ts';
export * from './coverage.ts';
export * from './identity.ts';
