export * from './assign-bits.ts';
export {
  allowedByDefault,
  type Jurisdiction,
  loadPurposes,
  NO_PURPOSES,
  type Purpose,
  type PurposeFile,
  parsePurposeFile,
  parsePurposes,
} from './purpose-file.ts';
