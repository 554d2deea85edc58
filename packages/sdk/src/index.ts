export { type Declared, type DeclareOptions, declare, type MetricsRegistry } from './declare.ts';
export { memoryOperationStore } from './memory-operation-store.ts';
export type {
  Awaitable,
  OperationChange,
  OperationRequest,
  OperationResult,
  OperationRpc,
  OperationState,
  OperationStore,
  PendingReport,
  StoredOperation,
} from './operation-store.ts';
export {
  type Answer,
  type Counted,
  type Description,
  type Identity,
  Later,
  type PersonalDataCall,
  PersonalDataError,
  type PersonalDataHandlers,
  type PersonalRecord,
  type Records,
  type Residual,
  type Retained,
} from './personal-data.ts';
export {
  type PersonalDataServer,
  type ServePersonalDataOptions,
  servePersonalData,
} from './serve-personal-data.ts';
export { type SqliteOperationStoreOptions, sqliteOperationStore } from './sqlite-operation-store.ts';
export type { PublicKey } from './token-verifier.ts';
