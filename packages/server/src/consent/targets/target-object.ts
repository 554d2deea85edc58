import type { Target } from './target.ts';

/** Something that a target must have. */
export interface TargetObject {
  readonly kind: 'schema' | 'table' | 'function' | 'purpose' | 'role' | 'view' | 'row security';
  /** Names it among those of its kind. */
  readonly name: string;
  readonly create: readonly string[];
  readonly drop: readonly string[];
  /** What takes its place where something of what is in it has to stay. (Default: it is dropped and created) */
  readonly replace?: readonly string[];
}

/** What was made, and how the database showed it then. */
export interface Recorded {
  readonly kind: string;
  readonly name: string;
  readonly wanted: string;
  readonly found: string;
  readonly dropped: readonly string[];
}

/** The role that reads a purpose's views and nothing else, or, as `rows`, the tables through their policies. */
export function roleOf(target: Pick<Target, 'key'>, name: string): string {
  return `habeas_${target.key}_${name}`;
}

/** The schema of a purpose's views. */
export function viewSchema({ code }: { readonly code: string }): string {
  return `purpose_${code}`;
}
