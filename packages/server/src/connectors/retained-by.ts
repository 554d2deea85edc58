import { type Keep, untilInWords } from '../catalog/index.ts';
import type { Retained } from './connector.ts';

/** What stays in a collection by a duty to keep, as evidence says it. */
export function retainedOf(collection: string, count: number, keep: Keep): Retained {
  const basis = keep.legalBasis === null ? '' : ` (${keep.legalBasis})`;
  return {
    collection,
    count,
    reason: `${keep.reason}${basis}`,
    until: untilInWords(keep.until),
    ...(keep.justification === undefined ? {} : { justification: keep.justification }),
  };
}
