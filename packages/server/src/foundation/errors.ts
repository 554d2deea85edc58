/**
 * Every error that Habeas shows to a person, by its code. The code is part of the API and is never reused;
 * docs/errors.md lists exactly these (a test compares both ways).
 *
 * `status` is the HTTP status of the problem document (RFC 9457); `title` is the sentence that stays the same for the code.
 */
export const ERRORS = {
  BAD_INPUT: { status: 400, title: 'The input does not fit the schema' },
  UNAUTHENTICATED: { status: 401, title: 'A valid API key is needed' },
  FORBIDDEN: { status: 403, title: 'This key may not do that' },
  CONFIRMATION_NEEDED: { status: 403, title: 'Somebody has to show again who they are' },
  PROOF_REFUSED: { status: 403, title: 'What was given does not prove who asks' },
  NOT_FOUND: { status: 404, title: 'There is no such resource' },
  CODE_INVALID: { status: 403, title: 'The code is not valid' },
  CONFLICT: { status: 409, title: 'The resource is in a state that does not allow this' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, title: 'The Idempotency-Key was used before with another body' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'The body is too large' },
  RANGE_INVALID: { status: 416, title: 'The range begins behind the end' },
  TOO_MANY_REQUESTS: { status: 429, title: 'Too many calls in a short time' },
  INTERNAL: { status: 500, title: 'Habeas failed; the log has the details under the given id' },
  UNAVAILABLE: { status: 503, title: 'Habeas cannot answer now; try again' },

  CONFIG_INVALID: { status: 500, title: 'The configuration cannot be used' },
  DATASET_INVALID: { status: 422, title: 'A dataset file cannot be used' },
  POLICY_INVALID: { status: 422, title: 'The policy file cannot be used' },
  RECORD_INVALID: { status: 422, title: 'The record of processing cannot be used' },
  DATABASE_UNREACHABLE: { status: 503, title: 'The database cannot be reached' },
  DATABASE_NEWER: { status: 500, title: 'The database belongs to a newer Habeas' },
  EMBEDDED_DATABASE_FAILED: { status: 500, title: 'The embedded PostgreSQL did not start' },
  MASTER_KEY_INVALID: {
    status: 500,
    title: 'The master key is missing, malformed or does not fit the stored data',
  },
  KEY_DESTROYED: { status: 410, title: 'The key of this data was destroyed; the data is forgotten' },

  AUDIT_LOG_DAMAGED: { status: 500, title: 'The audit log is not what it was when it was signed' },

  EXPOSITION_INVALID: { status: 502, title: 'A metrics page cannot be read' },
  SCRAPE_FAILED: { status: 502, title: 'A metrics page could not be fetched' },

  ADDRESS_NOT_APPROVED: {
    status: 409,
    title: 'The address is not approved; Habeas calls approved addresses only',
  },
  SYSTEM_UNREACHABLE: { status: 502, title: 'A system could not be reached' },
  SYSTEM_TIMEOUT: { status: 504, title: 'A system did not answer in time' },
  SYSTEM_REFUSED: { status: 502, title: 'A system refused the call' },
  SYSTEM_GARBAGE: { status: 502, title: 'A system gave an answer that breaks the contract' },
  SYSTEM_FAILED: { status: 502, title: 'A system reported that it failed' },
  SCHEMA_MISMATCH: {
    status: 422,
    title: 'The dataset names tables or columns that the live schema does not have',
  },
  VALUE_INVALID: { status: 422, title: 'A new value does not fit the field that it is for' },
  NOT_APPLIED: { status: 409, title: 'A change that was made cannot be read back' },
  SQL_REFUSED: { status: 422, title: 'The SQL cannot be run for a purpose' },
  STILL_READABLE: { status: 409, title: 'Data that had to be erased can still be read' },

  STORAGE_UNREACHABLE: {
    status: 503,
    title: 'The storage of packages or checkpoints cannot be used now; try again',
  },
  STORAGE_REFUSED: { status: 502, title: 'The storage of packages or checkpoints does not let Habeas in' },

  SERVER_UNREACHABLE: { status: 503, title: 'The Habeas server could not be reached' },
  PORT_TAKEN: { status: 500, title: 'Another program listens on the port' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** Where the wrong thing was found, for files that people write. `line` and `column` count from 1. */
export interface SourcePlace {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

export interface HabeasErrorOptions {
  /** What caused it; goes to the log, never to the client. */
  readonly cause?: unknown;
  readonly place?: SourcePlace;
  /** One entry per thing that is wrong, when there are several. */
  readonly details?: readonly string[];
  /** Whether the same act may succeed later without a change by a person. (Default: false) */
  readonly retryable?: boolean;
}

/**
 * The one error class. `message` says what was found, where, and what to do next; it never holds personal data,
 * because messages end up in logs, audit entries and answers.
 */
export class HabeasError extends Error {
  override readonly name = 'HabeasError';
  readonly code: ErrorCode;
  readonly place: SourcePlace | undefined;
  readonly details: readonly string[];
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: HabeasErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.place = options.place;
    this.details = options.details ?? [];
    this.retryable = options.retryable ?? false;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  /** Wraps anything that was thrown. The text of a foreign error may hold personal data, so it is kept as the cause only. */
  static from(reason: unknown, code: ErrorCode = 'INTERNAL'): HabeasError {
    if (reason instanceof HabeasError) return reason;
    return new HabeasError(code, ERRORS[code].title, { cause: reason });
  }
}
