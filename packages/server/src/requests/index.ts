export { DEFAULT_RETRY, type RetryRules, retryRules } from './back-off.ts';
export { type CreateRequestsOptions, createRequests } from './create-requests.ts';
export type { DueFigure, DueFigures } from './deadlines/due-figures.ts';
export { requestMigrations } from './migrations.ts';
export { createPackageStorages } from './package/create-storages.ts';
export { createPackageLinks, linkForPerson, type PackageLinks } from './package/links.ts';
export { createPauses, type HeededPauses, type Pauses, type PauseTarget } from './pauses.ts';
export { type Plan, type PlanInput, plan } from './plan.ts';
export type { ReceivedReport } from './reports.ts';
export type * from './requests.ts';
export * from './streams/index.ts';
export * from './trackers/index.ts';
export {
  type ContactProofs,
  createContactProofs,
  createPeopleToTell,
  limitOf,
  type TokenCall,
  type Verification,
  verificationFromConfig,
} from './verification/index.ts';
