import type { HabeasError } from '../foundation/index.ts';

/** Where checkpoints are published, one each, named after the number of their entries; nothing in it is ever written again. */
export interface CheckpointPlace {
  /** For people: `folder /srv/checkpoints`. */
  readonly name: string;
  /** Throws if checkpoints cannot be read there now, or, as far as that can be told without writing one, not be written. */
  check(): Promise<void>;
  /** The checkpoint with the most entries. */
  newest(): Promise<string | undefined>;
  /** Whole or not at all; one that is there stays as it is. */
  write(size: number, checkpoint: string): Promise<void>;
  close(): void;
}

/** All places of one log. */
export interface CheckpointPlaces {
  /** The newest checkpoint of each place that has one. A place that cannot be read is an error, never an empty one. */
  newest(): Promise<readonly string[]>;
  /** Whether each can be used now. */
  check(): Promise<readonly CheckedPlace[]>;
  /** Into all of them; an error if one of them fails. */
  write(size: number, checkpoint: string): Promise<void>;
  close(): void;
}

export interface CheckedPlace {
  readonly place: string;
  /** Why it cannot be used; undefined: it can. */
  readonly error: HabeasError | undefined;
}

const NAME = /^(\d{1,16})\.checkpoint$/;

/** What a checkpoint over so many entries is called. */
export function checkpointName(size: number): string {
  return `${size}.checkpoint`;
}

/** The name of the checkpoint with the most entries; names of anything else do not count. */
export function newestName(names: readonly string[]): string | undefined {
  const sizes = names.flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number);
  return sizes.length === 0 ? undefined : checkpointName(sizes.reduce((a, b) => Math.max(a, b)));
}
