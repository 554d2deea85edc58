import type { PlannableSystem } from '../connectors/index.ts';

/**
 * Systems that resolve identities for each other, in a circle, are one group; every other system is a group of its own. A group
 * comes after all groups that tell something that it can use.
 *
 * These are the strongly connected components, in topological order (R. E. Tarjan, Depth-first search and linear graph
 * algorithms, 1972), of a graph with a node for each system and each identity type, so that the cost grows with systems and
 * their types and not with pairs of systems. The depth is kept on the heap.
 */
export function groupsInOrder(systems: readonly PlannableSystem[]): readonly (readonly PlannableSystem[])[] {
  const takers = Map.groupBy(
    systems.flatMap((system) => system.needs.map((type) => ({ type, system }))),
    ({ type }) => type,
  );
  const ends = (node: PlannableSystem | string): readonly (PlannableSystem | string)[] =>
    typeof node === 'string' ? (takers.get(node) ?? []).map(({ system }) => system) : node.resolves;

  const index = new Map<PlannableSystem | string, number>();
  const low = new Map<PlannableSystem | string, number>();
  const open: (PlannableSystem | string)[] = [];
  const isOpen = new Set<PlannableSystem | string>();
  const groups: PlannableSystem[][] = [];

  const enter = (node: PlannableSystem | string) => {
    index.set(node, index.size);
    low.set(node, index.size - 1);
    open.push(node);
    isOpen.add(node);
    return { node, next: ends(node).values() };
  };
  const lower = (node: PlannableSystem | string, value: number | undefined) =>
    low.set(node, Math.min(low.get(node) ?? 0, value ?? 0));
  const close = (root: PlannableSystem | string) => {
    const group: PlannableSystem[] = [];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      isOpen.delete(node);
      if (typeof node !== 'string') group.push(node);
      if (node === root) break;
    }
    if (group.length > 0) groups.push(group.sort((a, b) => (a.key < b.key ? -1 : 1)));
  };

  for (const system of systems) {
    if (index.has(system)) continue;
    const path = [enter(system)];
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      const { done, value: end } = at.next.next();
      if (done) {
        path.pop();
        if (low.get(at.node) === index.get(at.node)) close(at.node);
        const before = path.at(-1);
        if (before !== undefined) lower(before.node, low.get(at.node));
      } else if (!index.has(end)) path.push(enter(end));
      else if (isOpen.has(end)) lower(at.node, index.get(end));
    }
  }
  // A component is closed before those that lead to it.
  return groups.reverse();
}
