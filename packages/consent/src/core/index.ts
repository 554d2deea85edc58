export { type Choices, type Consent, type ConsentOptions, createConsent } from './create-consent.ts';
export { canRefuse, type JurisdictionShow, type Notice, type NoticePurpose } from './notice.ts';
export type { KeyValueStorage } from './remember.ts';
