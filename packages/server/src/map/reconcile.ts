import type { Declaration } from './declaration.ts';
import { declarationKey } from './declaration-key.ts';

export interface ReconcileInput {
  /** Keys of the source's open intervals, and when each began. */
  readonly open: ReadonlyMap<string, Date>;
  /** What the source declares now. */
  readonly declarations: readonly Declaration[];
  /** The source was read to its end and all of it was understood. */
  readonly complete: boolean;
  /** When the source was last read completely before: until then it declared everything that is open. */
  readonly lastComplete: Date | null;
  readonly now: Date;
}

export interface Changes {
  /** Intervals that begin. */
  readonly started: readonly StartedInterval[];
  /** Intervals that end. */
  readonly ended: readonly EndedInterval[];
}

export interface StartedInterval {
  readonly key: string;
  readonly declaration: Declaration;
  readonly firstSeen: Date;
}

export interface EndedInterval {
  readonly key: string;
  readonly lastSeen: Date;
}

/**
 * What one reading of a source changes. Only a complete one may end an interval: what a broken page, or a dead target,
 * does not say is unknown and not gone.
 */
export function reconcile(input: ReconcileInput): Changes {
  const declared = new Set<string>();
  const started: StartedInterval[] = [];
  for (const declaration of input.declarations) {
    const key = declarationKey(declaration);
    if (!input.open.has(key) && !declared.has(key)) {
      started.push({ key, declaration, firstSeen: input.now });
    }
    declared.add(key);
  }
  const ended: EndedInterval[] = [];
  if (!input.complete) return { started, ended };
  for (const [key, firstSeen] of input.open) {
    if (!declared.has(key)) ended.push({ key, lastSeen: later(firstSeen, input.lastComplete) });
  }
  return { started, ended };
}

/** When something that is open was last seen for certain. */
function later(firstSeen: Date, lastComplete: Date | null): Date {
  return lastComplete === null || lastComplete < firstSeen ? firstSeen : lastComplete;
}
