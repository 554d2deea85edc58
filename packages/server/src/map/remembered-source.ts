import type { Declaration } from './declaration.ts';
import type { Changes } from './reconcile.ts';

/** What this process knows of the intervals of one source. Right as long as the source has this version in the database. */
export interface RememberedSource {
  /** Whoever writes an interval of the source, gives it another one. */
  readonly version: number;
  /** Keys of the open intervals, and when each began. */
  readonly open: ReadonlyMap<string, Date>;
  /** What was read last, if it was read completely: all of it is open, and nothing else. */
  readonly declarations: readonly Declaration[] | undefined;
}

/** By the names of sources. */
export type RememberedSources = Map<string, RememberedSource>;

/** What is open after these changes. */
export function openAfter(
  open: ReadonlyMap<string, Date>,
  { started, ended }: Changes,
): ReadonlyMap<string, Date> {
  if (started.length + ended.length === 0) return open;
  const after = new Map(open);
  for (const { key } of ended) after.delete(key);
  for (const { key, firstSeen } of started) after.set(key, firstSeen);
  return after;
}
