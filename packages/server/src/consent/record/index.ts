export { fold } from './fold.ts';
export * from './migrations.ts';
export * from './record-signals.ts';
export * from './subjects.ts';
