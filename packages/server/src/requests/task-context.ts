import type { api } from '@habeas/contract';
import type { Identity } from '../catalog/index.ts';
import type { Connector, Evidence, LocatedScope } from '../connectors/index.ts';
import type { Clock, Database, SecretKey } from '../foundation/index.ts';
import type { BlobStore } from './blob-store.ts';
import type { RequestEvent } from './event.ts';
import type { RequestRef } from './identity-vault.ts';
import type { RequestRow, TaskRow } from './neighbourhood.ts';
import type { TaskResult } from './save-steps.ts';

/** What the work of one task may use. */
export interface TaskContext {
  readonly ref: RequestRef;
  readonly request: RequestRow;
  readonly task: TaskRow;
  /** Seals and opens everything of this request. */
  readonly key: SecretKey;
  readonly blobs: BlobStore;
  readonly db: Database;
  readonly clock: Clock;
  /** To be called for each piece of very much. */
  readonly whileMuchIsStreamed: () => void;
  /** The legal hold on a person whom one of these identities names; undefined: none is. */
  holdOn(transaction: Database, identities: readonly Identity[]): Promise<string | undefined>;
  readonly scope: LocatedScope;
  /** The keys of the last of several searches; undefined: there was one, or none. */
  readonly lastKeys: LocatedScope['keys'] | undefined;
  /** The new values of a rectification; empty for every other right. */
  readonly changes: readonly api.FieldChange[];
  /** Of a system that is asked for identities once more: digests of those that it was asked with before, or told. */
  readonly askedBefore: ReadonlySet<string> | undefined;
  /** The connector of the task's system. */
  connector(): Promise<Connector>;
}

/** How the work of a task ended, if it did not throw. */
export type TaskOutcome =
  | {
      readonly state: 'succeeded';
      readonly result: TaskResult;
      /** Whether the system knows the person; null where the task cannot say. */
      readonly matched: boolean | null;
      /** Written in the transaction that ends the task. */
      readonly also?: (transaction: Database) => Promise<void>;
      /** An event that comes before the end of the task, in the same transaction. */
      readonly first?: (transaction: Database) => Promise<RequestEvent | undefined>;
    }
  /** More rows were found than one person may have destroyed. */
  | {
      readonly state: 'asks';
      readonly rows: number;
      /** The policy's count. */
      readonly above: number;
      readonly evidence: Evidence;
    }
  | { readonly state: 'pending'; readonly operation: string; readonly retryAfterSeconds: number }
  /** Another request has to end first. */
  | { readonly state: 'not-its-turn'; readonly after: string };
