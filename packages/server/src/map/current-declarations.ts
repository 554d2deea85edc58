import type { SeenDeclaration, SourceStatus } from './snapshot.ts';

/**
 * What is declared at one moment. A source that left the configuration is never read again, so what it said stays open: the
 * data may still be there. But it counts only where no source of the configuration says the same, and then only in the
 * newest such saying, so that a service that moved to another port is not shown once for each port.
 */
export function currentDeclarations(
  declarations: readonly SeenDeclaration[],
  sources: readonly SourceStatus[],
): readonly SeenDeclaration[] {
  const configured = new Set(sources.filter((source) => source.configured).map(({ source }) => source));
  const groups = Map.groupBy(declarations, ({ key }) => key);
  return [...groups.values()].flatMap((group) => {
    const read = group.filter(({ source }) => configured.has(source));
    return read.length > 0 ? onePerSource(read) : newest(group);
  });
}

/** Where a clock went back, two intervals of one source may overlap. */
function onePerSource(group: readonly SeenDeclaration[]): readonly SeenDeclaration[] {
  if (group.length === 1) return group;
  return [...Map.groupBy(group, ({ source }) => source).values()].flatMap(newest);
}

function newest(group: readonly SeenDeclaration[]): readonly SeenDeclaration[] {
  return group
    .toSorted((a, b) => b.lastSeen.getTime() - a.lastSeen.getTime() || (a.source < b.source ? -1 : 1))
    .slice(0, 1);
}
