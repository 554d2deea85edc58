import type { ConfiguredConnection } from './systems.ts';

/** System → systems that are done before it, and groups that are done one after the other. */
export interface GivenOrder {
  readonly after: Readonly<Record<string, readonly string[]>>;
  readonly groups: readonly (readonly string[])[];
}

/** Kinds of stores whose things rows of databases name: no row may be gone before what it names is. */
const NAMED_BY_ROWS: ReadonlySet<string> = new Set(['files', 's3', 'azure']);

/** Kinds of stores that hold copies: they are erased after what they would be filled from again. */
const COPIES: ReadonlySet<string> = new Set(['redis', 'sphinx']);

/**
 * The order that follows from what connections say, added to what the configuration says itself:
 *
 *     files, objects ─▶ the rows that name them ─▶ caches and full-text indexes
 *     what is found through rows of another connection ─▶ these rows
 *     what a collection was made from (`derived_from`) ─▶ that collection
 *
 * The configuration comes first, then `derived_from` and `erase_after`, then references, then kinds; what would close a circle with
 * what comes before it is left out. Pure.
 */
export function impliedOrder(
  connections: readonly ConfiguredConnection[],
  given: GivenOrder,
): Readonly<Record<string, readonly string[]>> {
  const kinds = new Map(connections.map(({ config }) => [config.key, config.kind]));
  const isCopy = (key: string) => COPIES.has(kinds.get(key) ?? '');
  const order = openOrder(given);
  for (const { config, madeFrom } of connections)
    for (const source of madeFrom) order.add({ first: source, next: config.key });
  for (const { config, foundThrough } of connections) {
    for (const rows of foundThrough) {
      if (isCopy(config.key)) order.add({ first: rows, next: config.key });
      else order.add({ first: config.key, next: rows });
    }
  }
  for (const one of connections) {
    const { key, kind } = one.config;
    if (!NAMED_BY_ROWS.has(kind) && !isCopy(key)) continue;
    for (const other of connections) {
      const otherKind = other.config.kind;
      if (other === one || NAMED_BY_ROWS.has(otherKind) || COPIES.has(otherKind)) continue;
      if (!other.resolves.some((type) => one.needs.includes(type))) continue;
      order.add(
        isCopy(key) ? { first: other.config.key, next: key } : { first: key, next: other.config.key },
      );
    }
  }
  return order.after();
}

function openOrder(given: GivenOrder) {
  const after = new Map(Object.entries(given.after).map(([key, keys]) => [key, new Set(keys)]));
  const waitsFor = new Map([...after].map(([key, keys]) => [key, new Set(keys)]));
  const wait = (key: string, first: string) => waitsFor.set(key, (waitsFor.get(key) ?? new Set()).add(first));
  const groups = given.groups.filter((group) => group.length > 0);
  for (const [index, group] of groups.entries())
    for (const key of group) for (const first of groups[index - 1] ?? []) wait(key, first);

  const reaches = (from: string, to: string, seen = new Set<string>()): boolean => {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return [...(waitsFor.get(from) ?? [])].some((next) => reaches(next, to, seen));
  };
  return {
    add({ first, next }: { readonly first: string; readonly next: string }): void {
      if (reaches(first, next)) return;
      wait(next, first);
      after.set(next, (after.get(next) ?? new Set()).add(first));
    },
    after: () => Object.fromEntries([...after].map(([key, keys]) => [key, [...keys].sort()])),
  };
}
