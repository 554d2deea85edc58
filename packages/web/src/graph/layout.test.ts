import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layOut } from './lay-out.ts';
import { inLanes, isDense, type LayoutGraph, layout, MOST_NODES, type Positions } from './layout.ts';

const size = { width: 100, height: 40 };
const graphs = fc
  .record({
    names: fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 25 }),
    links: fc.array(fc.tuple(fc.nat(24), fc.nat(24)), { maxLength: 40 }),
  })
  .map(({ names, links }): LayoutGraph => {
    const name = (index: number) => names[index % names.length] ?? '';
    return {
      nodes: names.map((id) => ({ id, ...size })),
      edges: links.map(([from, to]) => ({ from: name(from), to: name(to) })),
    };
  });

const overlapping = (positions: Positions) => {
  const all = [...positions.values()];
  return all.some((one, index) =>
    all
      .slice(index + 1)
      .some((other) => Math.abs(one.x - other.x) < size.width && Math.abs(one.y - other.y) < size.height),
  );
};

describe('the layout of a graph', () => {
  it('places every node once and none over another, and does not depend on the order of what it is given', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const positions = layout(graph);
        expect([...positions.keys()].toSorted()).toEqual(graph.nodes.map(({ id }) => id).toSorted());
        expect(overlapping(positions)).toBe(false);
        const turned = { nodes: graph.nodes.toReversed(), edges: graph.edges.toReversed() };
        expect(layout(turned)).toEqual(positions);
        expect(overlapping(inLanes(graph))).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('leads from left to right', () => {
    const nodes = ['shop', 'bus', 'mailer'].map((id) => ({ id, ...size }));
    const edges = [
      { from: 'shop', to: 'bus' },
      { from: 'bus', to: 'mailer' },
    ];
    const positions = layout({ nodes, edges });
    expect(['shop', 'bus', 'mailer'].map((id) => positions.get(id)?.x)).toEqual([0, 230, 460]);
  });

  it('puts what nobody could read into lanes, at once', () => {
    const nodes = Array.from({ length: MOST_NODES + 1 }, (_, number) => ({ id: `n${number}`, ...size }));
    const edges = nodes.slice(1).map(({ id }) => ({ from: 'n0', to: id }));
    const positions = layout({ nodes, edges });
    // One column for the first, fifteen for the three hundred behind it.
    expect(new Set([...positions.values()].map(({ x }) => x)).size).toBe(16);
    expect(overlapping(positions)).toBe(false);
  });

  it('puts a dense picture into lanes without waiting for anything, and as the worker would', async () => {
    const nodes = Array.from({ length: 30 }, (_, number) => ({ id: `n${number}`, ...size }));
    const edges = nodes.flatMap(({ id: from }) => nodes.map(({ id: to }) => ({ from, to })));
    expect(await layOut({ nodes: nodes.toReversed(), edges })).toEqual(layout({ nodes, edges }));
    expect(isDense({ nodes, edges: edges.slice(0, 300) })).toBe(false);
  });

  it('knows names that objects have of themselves', () => {
    const nodes = ['constructor', '__proto__', 'toString'].map((id) => ({ id, ...size }));
    const edges = [{ from: 'constructor', to: '__proto__' }];
    expect([...layout({ nodes, edges }).keys()].toSorted()).toEqual(['__proto__', 'constructor', 'toString']);
  });
});
