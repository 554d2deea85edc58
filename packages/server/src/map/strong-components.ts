/**
 * Strongly connected components (Tarjan 1972, without recursion), each after all that it reaches. Nodes are numbers from
 * 0 on; `targets[node]` are those that it points to. Returns the component of each node and how many there are.
 */
export function strongComponents(targets: readonly (readonly number[])[]): {
  readonly of: Int32Array;
  readonly count: number;
} {
  const size = targets.length;
  const of = new Int32Array(size).fill(-1);
  const index = new Int32Array(size).fill(-1);
  const low = new Int32Array(size);
  const next = new Int32Array(size);
  const open: number[] = [];
  let order = 0;
  let count = 0;
  for (let root = 0; root < size; root += 1) {
    if (at(index, root) !== -1) continue;
    const path = [root];
    for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
      if (at(index, node) === -1) {
        index[node] = low[node] = order;
        order += 1;
        open.push(node);
      }
      const target = targets[node]?.[at(next, node)];
      if (target !== undefined) {
        next[node] = at(next, node) + 1;
        if (at(index, target) === -1) path.push(target);
        else if (at(of, target) === -1) low[node] = Math.min(at(low, node), at(index, target));
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent !== undefined) low[parent] = Math.min(at(low, parent), at(low, node));
      if (at(low, node) !== at(index, node)) continue;
      for (let member = open.pop(); member !== undefined; member = open.pop()) {
        of[member] = count;
        if (member === node) break;
      }
      count += 1;
    }
  }
  return { of, count };
}

function at(array: Int32Array, index: number): number {
  return array[index] ?? -1;
}
