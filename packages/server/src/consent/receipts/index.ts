export type { ConsentParties } from './consent-record.ts';
export { type ConsentReceipts, createConsentReceipts } from './create-consent-receipts.ts';
