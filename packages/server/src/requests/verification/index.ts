export { type CreateVerificationOptions, createVerification } from './create-verification.ts';
export { forgetVerification } from './forget.ts';
export { limitOf, verificationFromConfig } from './from-config.ts';
export { keepVerifying } from './keep-going.ts';
export { createPeopleToTell } from './people-to-tell.ts';
export { createDigests } from './secrets.ts';
export { SIGN_IN_SOURCE } from './sign-in.ts';
export { sweepVerifications } from './sweep.ts';
export type { TokenCall, Verification } from './verification.ts';
