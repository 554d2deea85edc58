import type { FieldValue } from './operation-store.ts';

/** A type and a value that point at a person. The value is taken literally. */
export interface Identity {
  readonly type: string;
  readonly value: string;
}

/** One row, document or line of the subject. */
export interface PersonalRecord {
  /** Where it is from, such as `orders`. */
  readonly collection: string;
  /** Any JSON, and `Date`, `bigint` and bytes, which become RFC 3339 text, decimal text and base64. */
  readonly row: Readonly<Record<string, unknown>>;
}

/** Data that stays, and why. */
export interface Retained {
  readonly category: string;
  /** (Default: 1) */
  readonly count?: number;
  /** For the person, or the IRI of a DPV justification. No personal data. */
  readonly reason: string;
  /** When it ends; absent when no end is known. */
  readonly until?: Date;
}

/** A copy that cannot be removed now: backup, write-ahead log, cache. */
export interface Residual {
  readonly what: string;
  readonly until?: Date;
}

/** What was counted: `{ counts: { orders: 3 } }`. Nothing counted and nothing retained means: nobody was found. */
export interface Counted {
  /** Collection → rows. */
  readonly counts: Readonly<Record<string, number>>;
  readonly retained?: readonly Retained[];
  readonly residuals?: readonly Residual[];
}

/** What a handler is asked to do. */
export interface PersonalDataCall {
  readonly requestId: string;
  /** The same for every attempt of the same work. */
  readonly idempotencyKey: string;
  readonly identities: readonly Identity[];
  /** All values of one type: `values('email')`. */
  values(type: string): readonly string[];
  /** Of `get`: only what the person provided, or what was observed of them, if {@link Description.portability} says that it is told apart. */
  readonly portability: boolean;
  /** When Habeas must be done by law. */
  readonly dueTime: Date | undefined;
  /** Ends when the service closes, or when Habeas needs the work no more: stop, and throw what it throws. */
  readonly signal: AbortSignal;
  /**
   * For work that takes longer than a call: `return call.later(async () => …)`. Habeas is told QUEUED at once and the result
   * when it is there. After a restart of the service the handler is called again for work that had not ended.
   */
  later<Result>(work: () => Promise<Result> | Result): Later<Result>;
}

/** What a field that is about the person has to say from now on. */
export interface FieldChange {
  /** A data category, such as `user.contact.address.city`, or a field of the service's own as `collection.field`. */
  readonly target: string;
  /** Only where this is the value now; absent: whatever it is. */
  readonly from?: FieldValue;
  /** What it becomes; null removes it. */
  readonly to: FieldValue;
}

export interface RectifyCall extends PersonalDataCall {
  readonly changes: readonly FieldChange[];
}

export interface RestrictCall extends PersonalDataCall {
  /** Ends the restriction instead of beginning it. */
  readonly lift: boolean;
}

export interface ObjectCall extends PersonalDataCall {
  readonly kind: 'objection' | 'opt_out_of_sale' | 'limit_sensitive_data';
  /** Of an objection; `marketing` also means `marketing.advertising`. */
  readonly purposes: readonly string[];
  /** Takes it back. */
  readonly lift: boolean;
}

/** A right that changes data: two handlers, so that none can forget to look whether it is a dry run. */
export interface ChangeHandlers<Call extends PersonalDataCall> {
  /**
   * Reads the stores and counts what is not yet as the call wants it; changes nothing. Checks new values: throws a
   * {@link PersonalDataError} with the code `INVALID_VALUE` and `retryable: false` for one that does not fit.
   */
  check(call: Call): Answer<Counted>;
  /** Makes it so, everything or nothing, and counts what was changed; nothing the second time. */
  change(call: Call): Answer<Counted>;
}

/** See {@link PersonalDataCall.later}. */
export class Later<Result> {
  readonly work: () => Promise<Result> | Result;
  constructor(work: () => Promise<Result> | Result) {
    this.work = work;
  }
}

export type Answer<Result> = Result | Later<Result> | Promise<Result | Later<Result>>;
export type Records = Iterable<PersonalRecord> | AsyncIterable<PersonalRecord>;

/** What the service says of itself. */
export interface Description {
  /** Nodes of the taxonomy, such as `user.contact.email`. */
  readonly dataCategories: readonly string[];
  /** Types of identity that it finds a subject by; one is enough. */
  readonly identitiesNeeded: readonly string[];
  /** Types of identity that `resolveIdentities` can add. */
  readonly identitiesResolved?: readonly string[];
  /** Most calls at once that it wants. */
  readonly maxConcurrentCalls?: number;
  /** Whether `get` looks at `call.portability`, and leaves out what was derived. (Default: false) */
  readonly portability?: boolean;
}

/** What a service team writes. Every handler may be called again for the same work and must then have no second effect. */
export interface PersonalDataHandlers {
  readonly describe: Description | (() => Description | Promise<Description>);
  /** Everything that the service holds about the subject: an array, or a generator for results that do not fit in memory. */
  get(call: PersonalDataCall): Answer<Records>;
  /** Erases it. Says what was erased and what was kept. Never called for a dry run: `verify` is. */
  delete(call: PersonalDataCall): Answer<Counted>;
  /** More identities of the same person. */
  resolveIdentities?(call: PersonalDataCall): Answer<Iterable<Identity>>;
  /** Reads the stores and counts what is there and not retained. Never answers from what `delete` did. */
  verify(call: PersonalDataCall): Answer<Counted>;
  /** Puts right what is wrong. Without it the team gets tickets. */
  rectify?: ChangeHandlers<RectifyCall>;
  /** Keeps the data and uses it no more, until that is lifted. Without it the team gets tickets. */
  restrict?: ChangeHandlers<RestrictCall>;
  /** Uses the data no more for some purposes, or neither sells nor shares it. Without it the team gets tickets. */
  object?: ChangeHandlers<ObjectCall>;
}

/** Thrown by a handler to say in its own words why it failed; any other error is told to Habeas by its class name only. */
export class PersonalDataError extends Error {
  override readonly name = 'PersonalDataError';
  readonly code: string;
  readonly retryable: boolean;

  /** Neither `code` nor `message` may hold personal data: Habeas shows and keeps them. `retryable` is true by default. */
  constructor(code: string, message: string, options: { readonly retryable?: boolean } = {}) {
    super(message);
    this.code = code;
    this.retryable = options.retryable ?? true;
  }
}
