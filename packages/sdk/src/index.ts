export type { DuckDbConnection, DuckDbTable, EnforcedDuckDb } from '@habeas/contract/consent-duckdb';
export {
  type ConsentExport,
  ConsentExportError,
  type ConsentExportOptions,
  openConsentExport,
} from '@habeas/contract/consent-export';
export { type Declared, type DeclareOptions, declare, type MetricsRegistry } from './declare.ts';
export {
  type EnforcedSql,
  EnforceError,
  type EnforceForDuckDbOptions,
  type EnforceOptions,
  enforce,
} from './enforce.ts';
export { memoryOperationStore } from './memory-operation-store.ts';
export type {
  Awaitable,
  FieldValue,
  OperationChange,
  OperationRequest,
  OperationResult,
  OperationRpc,
  OperationState,
  OperationStore,
  OperationWork,
  PendingReport,
  StoredOperation,
} from './operation-store.ts';
export {
  type Answer,
  type ChangeHandlers,
  type Counted,
  type Description,
  type FieldChange,
  type Identity,
  Later,
  type ObjectCall,
  type PersonalDataCall,
  PersonalDataError,
  type PersonalDataHandlers,
  type PersonalRecord,
  type Records,
  type RectifyCall,
  type Residual,
  type RestrictCall,
  type Retained,
} from './personal-data.ts';
export {
  type ProcessingChecks,
  type ProcessingChecksOptions,
  type ProcessingChoices,
  processingChecks,
} from './processing-choices.ts';
export {
  type PersonalDataServer,
  type ServePersonalDataOptions,
  servePersonalData,
} from './serve-personal-data.ts';
export { type SqliteOperationStoreOptions, sqliteOperationStore } from './sqlite-operation-store.ts';
export type { PublicKey } from './token-verifier.ts';
