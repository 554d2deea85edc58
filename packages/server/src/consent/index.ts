export * from './create-consent.ts';
export * from './enforce/index.ts';
export { createConsentExpiry } from './expire-consent.ts';
export * from './exports/index.ts';
export { parquetLines, parquetText } from './import/parquet-lines.ts';
export * from './jobs/index.ts';
export * from './propagation/index.ts';
export { assignBits, loadPurposes, NO_PURPOSES, parsePurposeFile, parsePurposes } from './purposes/index.ts';
export { type ConsentParties, type ConsentReceipts, createConsentReceipts } from './receipts/index.ts';
export {
  consentMigrations,
  createSubjects,
  recordAtOnce,
  recordSignals,
  type Signal,
} from './record/index.ts';
export { type ConsentNotices, type ConsentTag, createConsentTag, createNotices } from './tag/index.ts';
export * from './targets/index.ts';
