import type { Target } from './target.ts';

/** Something that a target must have. */
export interface TargetObject {
  readonly kind: 'schema' | 'table' | 'function' | 'purpose' | 'role' | 'view' | 'row security';
  /** Names it among those of its kind. */
  readonly name: string;
  readonly create: readonly string[];
  readonly drop: readonly string[];
}

/** The role that reads a purpose's views and nothing else, or, as `rows`, the tables through their policies. */
export function roleOf(target: Pick<Target, 'key'>, name: string): string {
  return `habeas_${target.key}_${name}`;
}
