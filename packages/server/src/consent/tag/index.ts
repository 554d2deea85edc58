export { type ConsentTag, createConsentTag } from './create-consent-tag.ts';
export { type ConsentNotices, createNotices } from './create-notices.ts';
