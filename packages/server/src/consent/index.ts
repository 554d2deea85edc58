export * from './enforce/index.ts';
export * from './record/index.ts';
