import type { HabeasError } from '../../foundation/index.ts';
import type { Residual } from '../connector.ts';
import type { ByteSink, RandomAccess } from './row-format.ts';

/** One version of an object. In a store without versions each object is one. */
export interface ObjectVersion {
  readonly key: string;
  /** The store's own name of the version. */
  readonly id: string;
  /** Whether it is what the store gives who asks for the key. */
  readonly isLatest: boolean;
  /** It only says that the key was deleted. */
  readonly isMarker: boolean;
  /** Changes with the content. */
  readonly etag: string;
  /** In bytes. */
  readonly size: number;
  readonly modifiedAt: Date;
  /** It lies in an archive, from which it cannot be read at once. */
  readonly isArchived: boolean;
}

/** What was begun to be written and is no object yet. Nobody can read it. */
export interface UnfinishedUpload {
  readonly key: string;
  readonly id: string;
  readonly begunAt: Date;
}

/** Until when a version cannot be deleted; null: nobody knows. */
export interface Lock {
  readonly until: string | null;
  /** What is latest cannot be replaced either. */
  readonly holdsLatest: boolean;
}

/** What a store says about how long it keeps what nobody sees any more. */
export interface StoreRules {
  /** Days after which a version that is not the latest any more ends; undefined: it stays. */
  oldVersionDays(key: string): number | undefined;
  /** Days after which an unfinished upload ends; undefined: it stays. */
  uploadDays(key: string): number | undefined;
  /** Copies of what is replaced or deleted now that the store itself makes or keeps. */
  readonly copies: readonly Residual[];
}

/** The object was replaced or removed since it was listed. Nothing is wrong: list it again. */
export class ObjectMoved extends Error {}

/**
 * Objects by key, with their versions. Throws SYSTEM_UNREACHABLE (retryable) where the store is busy or away, SYSTEM_REFUSED where it does not
 * let us, and {@link ObjectMoved}. Errors name no keys of objects.
 */
export interface ObjectStore {
  /** Every version below a prefix. */
  versions(prefix: string, signal: AbortSignal): AsyncIterable<ObjectVersion>;
  /** Every version of exactly this key, in no order. */
  versionsOf(key: string, signal: AbortSignal): Promise<readonly ObjectVersion[]>;
  uploads(prefix: string, signal: AbortSignal): AsyncIterable<UnfinishedUpload>;
  /** The bytes of exactly this version: what takes its place meanwhile is never mixed with it. */
  open(version: ObjectVersion, signal: AbortSignal): RandomAccess;
  /**
   * Writes the object anew with what `write` gives, and with its properties: content type and metadata, tags, storage class, encryption.
   * It takes the old one's place when it is complete, and only if nobody replaced that meanwhile, else ObjectMoved. Nothing is written
   * where `write` gives nothing to the sink. Gives the new version's name; undefined where the store has no versions.
   */
  replace(
    version: ObjectVersion,
    write: (sink: ByteSink) => Promise<void>,
    signal: AbortSignal,
  ): Promise<{ readonly id: string | undefined } | undefined>;
  /** For good, not by a mark. Also if it is gone already. */
  remove(version: ObjectVersion, signal: AbortSignal): Promise<void>;
  abort(upload: UnfinishedUpload, signal: AbortSignal): Promise<void>;
  lockOf(version: ObjectVersion, signal: AbortSignal): Promise<Lock | undefined>;
  rules(signal: AbortSignal): Promise<StoreRules>;
  /** Whether the store can be read. */
  check(signal: AbortSignal): Promise<void>;
  /**
   * Does what the act needs with an object that nobody has, below a prefix, in ways that change nothing where they succeed. Gives what the store
   * does not let us do, as SYSTEM_REFUSED; throws what is no answer.
   */
  tryTo(act: 'write' | 'delete', prefix: string, signal: AbortSignal): AsyncIterable<HabeasError>;
  /** Which rights cannot be tried so, in words. */
  readonly untried: string;
  close(): void;
}
