export * from './collection-shape.ts';
export * from './identity.ts';
