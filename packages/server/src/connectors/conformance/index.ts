export * from './conformance-case.ts';
export * from './run-case.ts';
export * from './violation.ts';
