export { type CreateVerificationOptions, createVerification } from './create-verification.ts';
export { forgetVerification } from './forget.ts';
export { limitOf, verificationFromConfig } from './from-config.ts';
export { keepVerifying } from './keep-going.ts';
export { createPeopleToTell } from './people-to-tell.ts';
export type { Verification } from './verification.ts';
