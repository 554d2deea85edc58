export * from './principal.ts';
export * from './record-audit.ts';
