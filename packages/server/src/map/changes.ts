import type { api } from '@habeas/contract';
import type { FlowSeen, StoreSeen } from './graph.ts';
import { earliest, latest, sayingView, typeView, type ViewContext } from './views.ts';

type EdgeSeen = FlowSeen | StoreSeen;

/** The flows and stores that a filter leaves of the map of one moment. */
export interface MomentEdges {
  readonly at: Date;
  readonly edges: readonly EdgeSeen[];
}

/**
 * What was added, removed and changed from the earlier to the later moment, with who says so and since when. One flow,
 * or store, is the same while its services and data type are; what teams say about it may change.
 */
export function changesBetween(
  earlier: MomentEdges,
  later: MomentEdges,
  context: Pick<ViewContext, 'categoryOf'>,
): api.MapChangesView {
  // Most is the same at both moments, and need not be looked at.
  const keysBefore = new Set(earlier.edges.map(({ known }) => known.key));
  const keysAfter = new Set(later.edges.map(({ known }) => known.key));
  const differing = new Set<string>();
  for (const { known } of earlier.edges) if (!keysAfter.has(known.key)) differing.add(known.identity);
  for (const { known } of later.edges) if (!keysBefore.has(known.key)) differing.add(known.identity);
  const ofDiffering = ({ edges }: MomentEdges) =>
    Map.groupBy(
      edges.filter(({ known }) => differing.has(known.identity)),
      ({ known }) => known.identity,
    );
  const before = ofDiffering(earlier);
  const after = ofDiffering(later);
  const added: api.ChangeView[] = [];
  const removed: api.ChangeView[] = [];
  const changed: api.ChangeView[] = [];
  for (const identity of [...differing].sort()) {
    const old = before.get(identity) ?? [];
    const now = after.get(identity) ?? [];
    if (old.length === 0) {
      added.push(change({ old, now, who: now, at: earliest(now) }, context));
    } else if (now.length === 0) {
      removed.push(change({ old, now, who: old, at: latest(old) }, context));
    } else {
      const fresh = now.filter(({ known }) => !keysBefore.has(known.key));
      const gone = old.filter(({ known }) => !keysAfter.has(known.key));
      const at = fresh.length > 0 ? earliest(fresh) : latest(gone);
      changed.push(change({ old, now, who: [...fresh, ...gone], at }, context));
    }
  }
  return { from: earlier.at.toISOString(), to: later.at.toISOString(), added, removed, changed };
}

interface ChangeParts {
  readonly old: readonly EdgeSeen[];
  readonly now: readonly EdgeSeen[];
  /** Those whose words make the difference. */
  readonly who: readonly EdgeSeen[];
  readonly at: Date;
}

function change(
  { old, now, who, at }: ChangeParts,
  context: Pick<ViewContext, 'categoryOf'>,
): api.ChangeView {
  const [seen] = who;
  if (seen === undefined) throw new RangeError('A change has somebody who says so.');
  const { declaration } = seen;
  const by = new Map(
    who.map(({ source, declaration: { team } }) => [JSON.stringify([team, source]), { team, source }]),
  );
  return {
    kind: declaration.kind === 'store' ? 'store' : 'flow',
    service: declaration.service,
    to_service: declaration.kind === 'store' ? null : declaration.toService,
    ...typeView(declaration.dataType, context),
    at: at.toISOString(),
    by: [...by.values()],
    before: old.map(sayingView),
    after: now.map(sayingView),
  };
}
