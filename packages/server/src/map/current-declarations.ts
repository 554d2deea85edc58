import type { SeenDeclaration, SourceStatus } from './seen-declaration.ts';

/**
 * What is declared at one moment. A source that left the configuration is never read again, so what it said stays open: the
 * data may still be there. But it counts only where no source of the configuration says the same, and then only in the
 * newest such saying, so that a service that moved to another port is not shown once for each port. Takes them sorted by
 * what is declared, and leaves them so.
 */
export function currentDeclarations(
  declarations: readonly SeenDeclaration[],
  sources: readonly SourceStatus[],
): readonly SeenDeclaration[] {
  if (!saidTwice(declarations)) return declarations;
  const configured = new Set(sources.filter((source) => source.configured).map(({ source }) => source));
  // Sorted, so that those that say the same stand side by side; nearly always there is one.
  const current: SeenDeclaration[] = [];
  for (let from = 0, to = 0; from < declarations.length; from = to) {
    const first = declarations[from];
    const key = first?.known.key;
    for (to = from + 1; to < declarations.length && declarations[to]?.known.key === key; ) to += 1;
    if (first !== undefined && to - from === 1) {
      current.push(first);
      continue;
    }
    const group = declarations.slice(from, to);
    const read = group.filter(({ source }) => configured.has(source));
    current.push(...(read.length > 0 ? onePerSource(read) : newest(group)));
  }
  return current;
}

function saidTwice(declarations: readonly SeenDeclaration[]): boolean {
  let key: string | undefined;
  for (const { known } of declarations) {
    if (known.key === key) return true;
    key = known.key;
  }
  return false;
}

/** Where a clock went back, two intervals of one source may overlap. */
function onePerSource(group: readonly SeenDeclaration[]): readonly SeenDeclaration[] {
  return [...Map.groupBy(group, ({ source }) => source).values()].flatMap(newest);
}

function newest(group: readonly SeenDeclaration[]): readonly SeenDeclaration[] {
  return group.toSorted((a, b) => b.lastSeen - a.lastSeen || (a.source < b.source ? -1 : 1)).slice(0, 1);
}
