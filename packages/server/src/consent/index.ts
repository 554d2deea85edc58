export * from './create-consent.ts';
export * from './enforce/index.ts';
export * from './jobs/index.ts';
export * from './propagation/index.ts';
export { assignBits, loadPurposes, NO_PURPOSES, parsePurposeFile, parsePurposes } from './purposes/index.ts';
export { type ConsentReceipts, createConsentReceipts } from './receipts/index.ts';
export { consentMigrations, createSubjects, recordSignals, type Signal } from './record/index.ts';
export { type ConsentTag, createConsentTag } from './tag/index.ts';
export * from './targets/index.ts';
