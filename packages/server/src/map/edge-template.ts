import type { Evidence } from './map-source.ts';

/** The JSON of a flow or store as it was written last, kept with what it depends on besides the declaration. */
export interface EdgeTemplate {
  /** By which its category was found. */
  readonly categoryOf: (dataType: string) => string | undefined;
  readonly source: string;
  readonly evidence: Evidence;
  readonly external: boolean;
  readonly bytes: Uint8Array;
  /** Where the members begin that a saying has too. */
  readonly saying: number;
}

/** The JSON of what became of a flow or store, up to what was said before and after, for a change by one declaration. */
export interface ChangeTemplate {
  readonly categoryOf: (dataType: string) => string | undefined;
  readonly source: string;
  readonly bytes: Uint8Array;
  /** How many bytes before the end the time begins, which is another one in each answer. */
  readonly atBeforeEnd: number;
}
