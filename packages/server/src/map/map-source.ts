import type { HabeasError } from '../foundation/index.ts';
import type { Declaration } from './declaration.ts';

/**
 * Where declarations come from: a Prometheus server, a metrics page that Habeas reads itself, a person's list in the
 * configuration, or a job that sends them.
 */
export type SourceKind = 'prometheus' | 'scrape' | 'file' | 'push';

/** `observed`: a program that runs says it about itself. `declared`: a person wrote it down. */
export type Evidence = 'observed' | 'declared';

/** What a job pushes says what it just did; only a list that a person keeps is no more than their word. */
export function evidenceOf(kind: SourceKind): Evidence {
  return kind === 'file' ? 'declared' : 'observed';
}

export interface MapSource {
  /** Unique, stable, without secrets; part of messages and of what is stored. */
  readonly name: string;
  readonly kind: SourceKind;
  /** Whatever goes wrong is a failed reading, never an exception. */
  read(options: ReadOptions): Promise<Reading>;
}

export interface ReadOptions {
  readonly signal: AbortSignal;
  /** The time for which the source is asked. */
  readonly at: Date;
}

/** What one attempt to read one source brought. */
export type Reading = GoodReading | FailedReading;

export interface GoodReading {
  readonly state: 'read';
  readonly source: string;
  readonly declarations: readonly Declaration[];
  /** Declarations that were refused. */
  readonly rejections: readonly Rejection[];
  /** What else is wrong with the source, a sentence each. */
  readonly problems: readonly string[];
  /** All that the source has to say was read and understood. Only then does what is missing prove that it is gone. */
  readonly complete: boolean;
}

export interface FailedReading {
  readonly state: 'failed';
  readonly source: string;
  readonly error: HabeasError;
}

/** A declaration that was refused. Names the service, the team and the label, never a value that is wrong. */
export interface Rejection {
  readonly service: string | null;
  readonly team: string | null;
  readonly message: string;
}
