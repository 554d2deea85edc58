import type { api } from '@habeas/contract';
import type { About } from '../../catalog/index.ts';
import type { PlannableSystem } from '../../connectors/index.ts';
import type { Gap, Kept } from './planned-task.ts';

/** Which collections the request does not reach, and what an erasure leaves and why. */
export function describeCoverage(options: {
  readonly system: PlannableSystem;
  readonly known: ReadonlySet<string>;
  readonly about?: About | undefined;
  readonly right: api.Right;
  readonly gaps: Gap[];
  readonly kept: Kept[];
}): void {
  const coverage = options.system.coverage?.(options.known, options.about);
  if (coverage === undefined) return;
  for (const missing of coverage.unreachable) {
    options.gaps.push({
      kind: 'collection-unreachable',
      system: options.system.key,
      message: `${options.system.key}.${missing.collection} is not covered: ${missing.reason}`,
      ticket: false,
    });
  }
  if (options.right !== 'erasure') return;
  for (const covered of coverage.collections) {
    for (const { fields, reason, legalBasis, until, justification } of covered.kept) {
      options.kept.push({
        system: options.system.key,
        collection: covered.collection,
        fields: [...fields],
        reason,
        legal_basis: legalBasis,
        until,
        ...(justification === undefined ? {} : { justification }),
      });
    }
  }
}
