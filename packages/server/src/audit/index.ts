export * from './append-audit.ts';
export * from './canonical-json.ts';
export type * from './checkpoint-place.ts';
export * from './create-audit-log.ts';
export * from './create-checkpoint-places.ts';
export {
  NotVerified,
  openCheckpoint,
  parseProof,
  parseTrust,
  rootFromInclusion,
  type TrustedKey,
  type Verdict,
  verdictLines,
  verifyFile,
} from './habeas-verify.mjs';
export * from './list-audit.ts';
export * from './migrations.ts';
export { type SignLog, verifierKey } from './note.ts';
export * from './publish-checkpoints.ts';
export * from './serve-log.ts';
export type { AuditTables } from './tables.ts';
export { parseTilePath } from './tiles.ts';
export * from './verifier-program.ts';
export * from './verify-log.ts';
