export * from './assign-bits.ts';
export { allowedByDefault, loadPurposes, type Purpose, parsePurposes } from './purpose-file.ts';
