export { type ConsentTag, createConsentTag } from './create-consent-tag.ts';
