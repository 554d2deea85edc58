export { fold, type Signature, type Statement } from './fold.ts';
export * from './migrations.ts';
export * from './purposes.ts';
export * from './record-signals.ts';
export * from './subjects.ts';
