export { type ConsentReceipts, createConsentReceipts } from './create-consent-receipts.ts';
