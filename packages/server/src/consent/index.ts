export * from './create-consent.ts';
export * from './enforce/index.ts';
export { loadPurposes, parsePurposes } from './purposes/index.ts';
export { consentMigrations } from './record/index.ts';
