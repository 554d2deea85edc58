export * from './create-consent.ts';
export * from './enforce/index.ts';
export { assignBits, loadPurposes, parsePurposes } from './purposes/index.ts';
export { consentMigrations, createSubjects, recordSignals, type Signal } from './record/index.ts';
