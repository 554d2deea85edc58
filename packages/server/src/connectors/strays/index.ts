export * from './find-strays.ts';
export type * from './stray-report.ts';
