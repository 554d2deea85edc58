import type { Declaration } from './declaration.ts';
import type { KnownDeclaration } from './known-declaration.ts';
import type { Evidence, SourceKind } from './map-source.ts';

/** `now`: what no source has taken back; else what each source said at that time. */
export type Moment = Date | 'now';

/** A declaration that its source had not taken back at the moment. */
export interface SeenDeclaration {
  readonly known: KnownDeclaration;
  /** The one that is known. */
  readonly declaration: Declaration;
  readonly source: string;
  readonly evidence: Evidence;
  /** In milliseconds, like {@link lastSeen}: an answer has tens of thousands of times, and as many dates would be objects. */
  readonly firstSeen: number;
  readonly lastSeen: number;
}

export interface SourceStatus {
  readonly source: string;
  readonly kind: SourceKind;
  /** Another one whenever any of its declarations changes. */
  readonly version: number;
  readonly state: 'new' | 'ok' | 'partial' | 'failing';
  readonly completeAt: Date | null;
  readonly error: string | null;
  readonly warnings: readonly SourceWarning[];
  /** Whether the configuration still names it. */
  readonly configured: boolean;
}

/** Something of a source that was refused. */
export interface SourceWarning {
  /** broken: a line, or a part, that cannot be read; rejected: a label value that must not be stored. */
  readonly kind: 'broken' | 'rejected';
  readonly service: string | null;
  readonly team: string | null;
  readonly message: string;
}
