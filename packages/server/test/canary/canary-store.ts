import type { MarkedPerson } from './people.ts';

/** One store of the company, on a folder of the test's own, with everybody's marks in it. */
export interface CanaryStore {
  /** The connection's key. */
  readonly key: string;
  /** The connection in the configuration, without key, team and datasets. */
  readonly connection: Readonly<Record<string, unknown>>;
  /** The dataset file. */
  readonly dataset: string;
  /** What is in it as other programs read it: rows, keys, lines, files, versions of objects. Each has a name, and its bytes as latin1. */
  contents(): Promise<Contents>;
  /** Ends its server, and gives the folder with all that it leaves on the disk. A second call does nothing. */
  stop(): Promise<string>;
  /** Copies that the store keeps by itself: where they lie in the folder, and by which name a residual has to tell them. */
  readonly copies: readonly Copy[];
  [Symbol.asyncDispose](): Promise<void>;
}

export type Contents = ReadonlyMap<string, string>;

export interface Copy {
  readonly path: RegExp;
  readonly copy: string;
}

export interface StoreOptions {
  /** An empty folder. */
  readonly folder: string;
  readonly people: readonly MarkedPerson[];
}
