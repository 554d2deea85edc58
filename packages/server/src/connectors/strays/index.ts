export * from './find-strays.ts';
export type * from './stray-report.ts';
export * from './sweep-store.ts';
