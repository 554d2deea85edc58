import { formatPlace, type SourcePlace } from '../foundation/index.ts';

/** `error`: requests on this system cannot be right until it is corrected. `warning`: likely a mistake. `info`: worth a look. */
export type Severity = 'error' | 'warning' | 'info';

/** One thing that is wrong with a dataset, and where. */
export interface Finding {
  readonly severity: Severity;
  /** Stable and documented in docs/datasets.md. */
  readonly code: FindingCode;
  /** What was found and what to do. Names of collections and fields only. */
  readonly message: string;
  readonly place: SourcePlace;
}

/** Every code that {@link lintDatasets} and {@link parseDatasets} give; docs/datasets.md lists exactly these. */
export const FINDING_CODES = [
  'unknown-key',
  'unsupported-key',
  'unknown-category',
  'unknown-strategy',
  'reference-to-nowhere',
  'reference-to-unknown-field',
  'reference-leaves-connection',
  'composite-not-marked',
  'unreachable',
  'no-identity',
  'reaches-other-persons',
  'maybe-shared',
  'category-missing',
  'personal-key',
  'table-missing',
  'column-missing',
  'table-not-named',
  'column-not-named',
  'primary-key-unknown',
  'primary-key-differs',
  'orphans-possible',
  'type-differs',
  'cascade-not-named',
] as const;

export type FindingCode = (typeof FINDING_CODES)[number];

/** `shop.yaml:12:5: error: … (table-missing)`, the way compilers print it. */
export function formatFinding(finding: Finding): string {
  return `${formatPlace(finding.place)}: ${finding.severity}: ${finding.message} (${finding.code})`;
}
