import type { About, CollectionShape, Flag, Identity } from '../catalog/index.ts';
import type { KnownPeople } from './known-people.ts';
import type { NamedThings } from './named-things.ts';
import type { TextRows } from './text-rows.ts';

/** What a connector can do; the plan uses nothing that is not here. */
export type Capability =
  | 'resolve'
  | 'collect'
  /** It can tell what the person provided from what others wrote. */
  | 'portability'
  | 'locate'
  | 'erase'
  | 'rectify'
  | 'restrict'
  | 'object'
  | 'verify'
  | 'discover';

export interface Health {
  readonly ok: boolean;
  /** One sentence: what was reached, or what is wrong and what to do. No secrets, no personal data. */
  readonly message: string;
  /** One line per thing that is missing or wrong, such as a table that the dataset names. */
  readonly problems: readonly string[];
}

/** Exactly what one task may act on. */
export interface Scope {
  readonly organizationId: string;
  readonly requestId: string;
  /** Stable over all attempts of the task: same key, same operation, no second effect. */
  readonly idempotencyKey: string;
  readonly identities: readonly Identity[];
  /** (Default: person) */
  readonly about?: About | undefined;
  readonly dueTime: Date;
  /** Ends the work: the task timed out or the server stops. */
  readonly signal: AbortSignal;
  /** The operation that an earlier attempt began at the system, if the system answered that it is not done yet. */
  readonly operation?: string | undefined;
  /** An earlier attempt under this key may have reached the system, and its answer was lost or of no use. */
  readonly retried?: true | undefined;
  /**
   * No attempt at this erasure was ever answered, and one may have come to its end: what was located and is gone counts as erased, so that
   * the evidence is what the first answer would have been.
   */
  readonly unanswered?: true | undefined;
  /** Keys the hashes of values that are replaced; the values themselves are not kept. Absent: none are made. */
  readonly evidenceKey?: Uint8Array | undefined;
  /** Where the system may report that an operation ended. Absent: it will be polled. */
  readonly callback?: { readonly url: string; readonly secret: string } | undefined;
}

/** Work that goes on at a system. */
export interface RunningOperation {
  readonly requestId: string;
  /** The system's own name of it. */
  readonly operation: string;
  readonly signal: AbortSignal;
}

/** A scope whose exact keys were found, and stored, before anything was destroyed. */
export interface LocatedScope extends Scope {
  /** Batches as `locate` gave them; may be iterated again. Empty for connectors that cannot locate. */
  keys(): AsyncIterable<KeyBatch>;
}

/** Keys of rows, objects or lines of one collection. At most 1,000, so that a batch fits in memory. */
export interface KeyBatch {
  readonly collection: string;
  /** Names of the key's parts. */
  readonly columns: readonly string[];
  /** How many keys the batch has. */
  readonly count: number;
  /** The keys, in a text form of the connector's own: it alone reads them, and nothing between takes them apart. */
  readonly keys: readonly string[];
  /** What erasure is to do with these rows when it is not the collection's default, such as `detach` for a shared row. */
  readonly treatment?: string | undefined;
}

/** One row, document or line of the subject. */
export interface Item {
  readonly collection: string;
  readonly row: Readonly<Record<string, unknown>>;
}

/** The system took the work and is not done. */
export interface Pending {
  readonly state: 'pending';
  /** The system's own name of the operation. */
  readonly operation: string;
  /** When to ask again, at the earliest. */
  readonly retryAfterSeconds: number;
}

/** Data that stays, and why. */
export interface Retained {
  readonly collection: string;
  readonly count: number;
  /** Why, in words, or a DPV justification's IRI. */
  readonly reason: string;
  /** RFC 3339 date or time on which it ends; null when no end is known. */
  readonly until: string | null;
  /** The reason as an IRI of the Data Privacy Vocabulary, where the policy gives one. */
  readonly justification?: string;
}

/** A copy that cannot be removed now and ends by a known date: backup, write-ahead log, cache. */
export interface Residual {
  readonly what: string;
  readonly until: string | null;
  /** Which of the copies it is that stores of this kind keep by themselves, by a name that the configuration knows it by. */
  readonly copy?: string;
}

/** What a task brought back. No personal data: names of collections and counts. */
export interface Evidence {
  /** Whether the system knows the subject at all. `false` is a good answer, not an error. */
  readonly matched: boolean;
  /** Collection → rows (objects, lines) that were acted on. */
  readonly counts: Readonly<Record<string, number>>;
  readonly retained: readonly Retained[];
  readonly residuals: readonly Residual[];
  readonly notes: readonly string[];
  /** Of an erasure, and of a reading after it, where the connector tells: what became of what was found, by collection. */
  readonly effects?: Readonly<Record<string, Effect>>;
  /** Of a rectification, where the system tells: which values were replaced, the former ones as keyed hashes. */
  readonly replaced?: readonly Replaced[];
}

/**
 * How far gone erased data is: nobody is shown it, the store no longer gives it, its bytes are gone from the store's files, or only a
 * destroyed key could read it.
 */
export type ErasureLevel = 'hidden' | 'logical' | 'purged' | 'key-destroyed';

/** What an erasure did to one collection, in rows, objects or lines. */
export interface Effect {
  readonly found: number;
  readonly erased: number;
  readonly masked: number;
  /** Only marked as deleted: they are there, and nobody may call them erased. (Default: 0) */
  readonly hidden?: number;
  readonly kept: number;
  /** The least that is true of all of it. */
  readonly level: ErasureLevel;
}

/** Values of one field that were replaced. */
export interface Replaced {
  readonly collection: string;
  readonly field: string;
  readonly count: number;
  /** HMAC-SHA-256 of each former value under the scope's `evidenceKey`, in base64url, a few at most. */
  readonly old: readonly string[];
}

/** Files of our own that processes left behind which ended in the middle of their work. */
export interface Swept {
  readonly removed: number;
  /** Somebody writes them, or nobody can tell yet, or they must not be removed. */
  readonly left: number;
}

export type Outcome = { readonly state: 'done'; readonly evidence: Evidence } | Pending;

/** What can still be read after an erasure. The task passes only if `remaining` has no count above zero. */
export interface Residue {
  /** Collection → rows of the subject that a targeted field can still be read in, without what is retained. */
  readonly remaining: Readonly<Record<string, number>>;
  readonly retained: readonly Retained[];
  /** Collection → rows that are only marked as deleted. (Default: none) */
  readonly hidden?: Readonly<Record<string, number>>;
}

export type CollectStep =
  | { readonly state: 'item'; readonly item: Item }
  | { readonly state: 'texts'; readonly texts: TextRows }
  | Pending
  | { readonly state: 'done'; readonly evidence: Evidence };

/**
 * `given`: only what the person provided, and what was observed of them, where the system can tell; `provided`: without what was
 * observed. (Default: all)
 */
export type CollectSources = 'all' | 'given' | 'provided';

export type EraseMode = 'erase' | 'dry-run';

/** A value of a field; null: none. */
export type FieldValue = string | number | boolean | null;

export interface FieldChange {
  /** A data category, or a field as `system.collection.field`. */
  readonly target: string;
  /** Only where this is the value now; undefined: whatever it is. */
  readonly from: FieldValue | undefined;
  readonly to: FieldValue;
}

/** What is to be changed about a person without erasing: values, or marks that say what their data may not be used for. */
export type ChangeWork =
  | { readonly kind: 'rectify'; readonly changes: readonly FieldChange[] }
  | { readonly kind: 'restrict'; readonly effect: FlagEffect }
  | {
      readonly kind: 'object';
      readonly right: Exclude<Flag, 'restriction'>;
      /** Of an objection. */
      readonly purposes: readonly string[];
      readonly effect: FlagEffect;
    };

export type FlagEffect = 'set' | 'lift';

/** `dry-run`: values are tried and what would be changed is counted; nothing is changed. After the change it counts nothing. */
export type ChangeMode = 'change' | 'dry-run';

/** How Habeas acts on one system. One interface; every kind of system implements it and passes the shared contract test. */
export interface Connector {
  readonly capabilities: ReadonlySet<Capability>;
  /** Of a store of rows: everybody whom it knows, to be compared with what names name. */
  readonly known?: KnownPeople;
  /** Whether all that `resolve` tells are values of identity fields in rows that the datasets lead to. (Default: not) */
  readonly tellsByDatasets?: true;
  /** Of a store whose things have names that say whose they are. */
  readonly named?: NamedThings;
  /** Can we reach it, and may we do what the plan needs. */
  check(): Promise<Health>;
  /** The live shape: collections, keys, references, row estimates. */
  discover?(signal: AbortSignal): AsyncIterable<CollectionShape>;
  /** At most `limit` rows of a collection, for a guess at what it holds. */
  sample?(
    collection: string,
    limit: number,
    signal: AbortSignal,
  ): AsyncIterable<Readonly<Record<string, unknown>>>;
  /** More identities of the same subject, before anything is destroyed. */
  resolve?(scope: Scope): Promise<readonly Identity[]>;
  /** The exact keys of everything that belongs to the subject and that an erasure, or this work, is about. */
  locate?(scope: Scope, purpose?: 'erase' | ChangeWork): AsyncIterable<KeyBatch>;
  /** Streams; never the whole result in memory. The last step is `done` or `pending`. */
  collect(scope: Scope, sources?: CollectSources): AsyncIterable<CollectStep>;
  /** Set-based, idempotent, in one transaction where the store has them. In `dry-run` it only counts. */
  erase(scope: LocatedScope, mode: EraseMode): Promise<Outcome>;
  /**
   * Does one of the works that it has the capability for; idempotent, in one transaction where the store has them. Throws
   * VALUE_INVALID for a new value that does not fit, before anything is changed.
   */
  change?(scope: LocatedScope, work: ChangeWork, mode: ChangeMode): Promise<Outcome>;
  /**
   * Has the system stop an operation that nobody needs any more. Nothing happens when it has ended, or when the system cannot stop it.
   * Throws what may be tried again.
   */
  cancel?(operation: RunningOperation): Promise<void>;
  /** Of a store beside whose things files of our own are made: removes what processes that ended left. Changes nothing else. */
  sweep?(signal: AbortSignal): Promise<Swept>;
  /** Reads again; never trusts its own erase. */
  verify(scope: LocatedScope): Promise<Residue>;
  close(): Promise<void>;
}

/** Makes connectors of one kind. */
export type ConnectorFactory<Settings> = (settings: Settings) => Connector;
