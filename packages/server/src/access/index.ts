export * from './api-keys.ts';
export * from './callback-secret.ts';
export { type VerifyDetachedOptions, verifyDetached } from './detached-signature.ts';
export * from './migrations.ts';
export * from './principal.ts';
export * from './record-audit.ts';
export * from './signer.ts';
export type { PublicJwk } from './signing-keys.ts';
export * from './standard-webhook.ts';
