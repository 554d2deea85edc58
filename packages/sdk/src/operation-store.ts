/** The calls that make an operation. */
export type OperationRpc =
  | 'Get'
  | 'Delete'
  | 'ResolveIdentities'
  | 'Verify'
  | 'Rectify'
  | 'Restrict'
  | 'Object';

/** A value of a field; null: none. */
export type FieldValue = string | number | boolean | null;

/** What a call asks for beside the person: of Get, Rectify, Restrict and Object. */
export interface OperationWork {
  readonly portability?: true;
  readonly changes?: readonly {
    readonly target: string;
    readonly from?: FieldValue;
    readonly to: FieldValue;
  }[];
  readonly kind?: 'objection' | 'opt_out_of_sale' | 'limit_sensitive_data';
  readonly purposes?: readonly string[];
  readonly lift?: boolean;
}

export type OperationState = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'NO_MATCH' | 'RETAINED' | 'FAILED';

/** What came of an operation: numbers and reasons, no personal data. Times are RFC 3339. */
export interface OperationResult {
  readonly counts: Readonly<Record<string, number>>;
  readonly retained: readonly {
    readonly category: string;
    readonly count: number;
    readonly reason: string;
    readonly until: string | null;
  }[];
  readonly residuals: readonly { readonly what: string; readonly until: string | null }[];
  readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean } | null;
}

/** What has to be known to run an operation again. It has identities, so it is kept only until the operation ends. */
export interface OperationRequest {
  readonly requestId: string;
  readonly identities: readonly { readonly type: string; readonly value: string }[];
  readonly dueTime: string | null;
  /** Has new values of a person, and so is kept no longer than the identities. */
  readonly work?: OperationWork;
}

/** A report to Habeas that is not delivered yet. */
export interface PendingReport {
  readonly url: string;
  readonly secret: string;
  /** How often it was tried. */
  readonly attempts: number;
}

export interface StoredOperation {
  readonly name: string;
  readonly idempotencyKey: string;
  readonly rpc: OperationRpc;
  readonly dryRun: boolean;
  /** A keyed hash of what was asked: the same key with another fingerprint is refused. */
  readonly fingerprint: string;
  readonly state: OperationState;
  /** Present until it ends. */
  readonly request: OperationRequest | null;
  readonly result: OperationResult | null;
  /** Where to report the end; null when nobody waits for it or it was delivered. */
  readonly report: PendingReport | null;
  readonly createdAt: Date;
}

/** What may change of an operation. */
export type OperationChange = Partial<Pick<StoredOperation, 'state' | 'request' | 'result' | 'report'>>;

export type Awaitable<Value> = Value | Promise<Value>;

/**
 * Where operations are kept. One process at a time uses a store: that a handler runs once for calls that come at the same time
 * is the process' work, and the store keeps it true over restarts.
 */
export interface OperationStore {
  /** A secret of the store that fingerprints are keyed with, so that they cannot be compared with other stores' ones. */
  readonly fingerprintKey: Uint8Array;
  /** Adds the operation unless its idempotency key is known, in one step; gives what the store then has. */
  begin(operation: StoredOperation): Awaitable<StoredOperation>;
  find(name: string): Awaitable<StoredOperation | undefined>;
  /** Without it a call whose answer was lost is made again under its key. */
  findByKey?(idempotencyKey: string): Awaitable<StoredOperation | undefined>;
  /** Survives the end of the process when it returns. */
  change(name: string, change: OperationChange): Awaitable<void>;
  /** Operations that are QUEUED or RUNNING, and ended ones whose report is not delivered; oldest first. */
  open(): Awaitable<readonly StoredOperation[]>;
  /** Removes operations that are not open and began before `time`. */
  forget(time: Date): Awaitable<void>;
  close(): Awaitable<void>;
}

const ENDED: ReadonlySet<OperationState> = new Set(['SUCCEEDED', 'NO_MATCH', 'RETAINED']);

/** Whether the operation has its final result. FAILED is not final: the same key runs it again. */
export function isFinal(state: OperationState): boolean {
  return ENDED.has(state);
}
