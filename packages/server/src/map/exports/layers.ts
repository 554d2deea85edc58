export interface Link {
  readonly from: number;
  readonly to: number;
}

export interface Layering {
  /** The column of each node, from 0. */
  readonly layerOf: readonly number[];
  /** Links that run against the columns, by index; they are drawn backwards. */
  readonly reversed: ReadonlySet<number>;
}

/**
 * A column for each node so that links run from left to right: links that close a circle are turned around, then each node
 * comes right of all that lead to it. A column that is full pushes a node further right, so that one receiver of two hundred
 * senders does not make a column of two hundred. In time linear in nodes and links; of loops nothing is said.
 */
export function layersOf(count: number, links: readonly Link[], highest: number): Layering {
  const outgoing = Map.groupBy(links.keys(), (index) => links[index]?.from ?? 0);
  const reversed = findBackLinks(count, links, outgoing);
  const next = new Map<number, number[]>();
  const open = new Array<number>(count).fill(0);
  for (const [index, link] of links.entries()) {
    if (link.from === link.to) continue;
    const [tail, head] = reversed.has(index) ? [link.to, link.from] : [link.from, link.to];
    next.set(tail, [...(next.get(tail) ?? []), head]);
    open[head] = (open[head] ?? 0) + 1;
  }
  const layerOf = new Array<number>(count).fill(0);
  const sizes: number[] = [];
  const queue = [...layerOf.keys()].filter((node) => open[node] === 0);
  for (let place = 0; place < queue.length; place += 1) {
    const node = queue[place] ?? 0;
    let layer = layerOf[node] ?? 0;
    while ((sizes[layer] ?? 0) >= highest) layer += 1;
    layerOf[node] = layer;
    sizes[layer] = (sizes[layer] ?? 0) + 1;
    for (const head of next.get(node) ?? []) {
      layerOf[head] = Math.max(layerOf[head] ?? 0, layer + 1);
      open[head] = (open[head] ?? 0) - 1;
      if (open[head] === 0) queue.push(head);
    }
  }
  return { layerOf: withoutEmpty(layerOf), reversed };
}

/** Links to a node that is still being visited, depth first; without a call stack, because a chain may be long. */
function findBackLinks(
  count: number,
  links: readonly Link[],
  outgoing: ReadonlyMap<number, readonly number[]>,
): ReadonlySet<number> {
  const state = new Array<'new' | 'open' | 'done'>(count).fill('new');
  const back = new Set<number>();
  for (const root of state.keys()) {
    if (state[root] !== 'new') continue;
    const stack = [{ node: root, at: 0 }];
    state[root] = 'open';
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const index = outgoing.get(top.node)?.[top.at];
      top.at += 1;
      if (index === undefined) {
        state[top.node] = 'done';
        stack.pop();
        continue;
      }
      const to = links[index]?.to ?? 0;
      if (to === top.node) continue;
      if (state[to] === 'open') back.add(index);
      if (state[to] === 'new') {
        state[to] = 'open';
        stack.push({ node: to, at: 0 });
      }
    }
  }
  return back;
}

function withoutEmpty(layers: readonly number[]): readonly number[] {
  const used = new Map([...new Set(layers)].sort((a, b) => a - b).map((layer, index) => [layer, index]));
  return layers.map((layer) => used.get(layer) ?? 0);
}
