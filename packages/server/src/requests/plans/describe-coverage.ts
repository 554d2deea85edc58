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
    if (covered.hiddenBy !== undefined)
      options.gaps.push({
        kind: 'soft-deleted',
        system: options.system.key,
        message: `Rows of ${options.system.key}.${covered.collection} stay and are marked as deleted in ${covered.hiddenBy}, by policy; they are not erased.`,
        ticket: false,
      });
    if (covered.cannotHide === true)
      options.gaps.push({
        kind: 'not-soft-deletable',
        system: options.system.key,
        message: `The policy would have rows of ${options.system.key}.${covered.collection} soft-deleted, and its dataset names no column for that (\`soft_delete\`); they are erased.`,
        ticket: false,
      });
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
