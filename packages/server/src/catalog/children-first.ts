/**
 * Groups names so that each child comes before its parents, and what hangs together in a cycle is one group
 * (strongly connected components, Tarjan 1972, without recursion). `parentsOf` gives the parents of a name; unknown names
 * are ignored. The order depends only on the order of `names`. Linear in names and arcs.
 */
export function childrenFirst(
  names: Iterable<string>,
  parentsOf: (name: string) => Iterable<string>,
): readonly (readonly string[])[] {
  const known = new Set(names);
  const visits = new Map<string, Visit>();
  const open: string[] = [];
  const groups: string[][] = [];
  for (const start of known) {
    if (visits.has(start)) continue;
    const path = [enter(start)];
    while (path.length > 0) {
      const visit = path[path.length - 1] as Visit;
      const next = visit.parents.next();
      if (next.done !== true) {
        if (!known.has(next.value)) continue;
        const parent = visits.get(next.value);
        if (parent === undefined) path.push(enter(next.value));
        else if (parent.open) visit.low = Math.min(visit.low, parent.index);
        continue;
      }
      path.pop();
      const child = path[path.length - 1];
      if (child !== undefined) child.low = Math.min(child.low, visit.low);
      if (visit.low === visit.index) groups.push(close(visit.name));
    }
  }
  // Tarjan closes a group after all groups that it leads to: parents first.
  return groups.reverse();

  function enter(name: string): Visit {
    const visit: Visit = {
      name,
      index: visits.size,
      low: visits.size,
      open: true,
      parents: parentsOf(name)[Symbol.iterator](),
    };
    visits.set(name, visit);
    open.push(name);
    return visit;
  }

  function close(name: string): string[] {
    const group = open.splice(open.lastIndexOf(name));
    for (const member of group) {
      const visit = visits.get(member);
      if (visit !== undefined) visit.open = false;
    }
    return group;
  }
}

interface Visit {
  readonly name: string;
  readonly index: number;
  low: number;
  open: boolean;
  readonly parents: Iterator<string>;
}
