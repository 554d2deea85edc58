import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { middleOf, pathOf, waysAround } from './around.ts';
import { inLanes, type LayoutGraph, layout } from './layout.ts';

const size = { width: 100, height: 40 };
const graphs = fc
  .record({
    count: fc.integer({ min: 2, max: 18 }),
    links: fc.array(fc.tuple(fc.nat(17), fc.nat(17)), { maxLength: 40 }),
  })
  .map(({ count, links }): LayoutGraph => {
    const nodes = Array.from({ length: count }, (_, number) => ({ id: `n${number}`, ...size }));
    const edges = links
      .map(([from, to]) => ({ from: `n${from % count}`, to: `n${to % count}` }))
      .filter(({ from, to }) => from !== to);
    return { nodes, edges };
  });

describe('links that lead back', () => {
  it('go behind no box, in any picture', () => {
    fc.assert(
      fc.property(graphs, fc.constantFrom(layout, inLanes), ({ nodes, edges }, place) => {
        const positions = place({ nodes, edges });
        for (const [index, way] of waysAround(nodes, edges, positions)) {
          const ends = [edges[index]?.from, edges[index]?.to];
          for (const [step, to] of way.slice(1).entries()) {
            const from = way[step] ?? to;
            for (const { id } of nodes) {
              const box = positions.get(id);
              if (box === undefined || ends.includes(id)) continue;
              const [left, right] = [Math.min(from.x, to.x), Math.max(from.x, to.x)];
              const [top, bottom] = [Math.min(from.y, to.y), Math.max(from.y, to.y)];
              const apart =
                right <= box.x || left >= box.x + size.width || bottom <= box.y || top >= box.y + size.height;
              expect([index, id, apart]).toEqual([index, id, true]);
            }
          }
        }
      }),
    );
  });

  it('are those alone; each has a way of its own', () => {
    const nodes = ['a', 'b', 'c'].map((id) => ({ id, ...size }));
    const edges = [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'c' },
      { from: 'c', to: 'a' },
      { from: 'b', to: 'a' },
    ];
    const positions = new Map(nodes.map(({ id }, index) => [id, { x: index * 230, y: 0 }]));
    const ways = waysAround(nodes, edges, positions);
    expect([...ways.keys()].toSorted()).toEqual([2, 3]);
    expect(ways.get(2)?.[0]).toEqual({ x: 560, y: 20 });
    expect(ways.get(2)?.at(-1)).toEqual({ x: 0, y: 20 });
    expect(middleOf(ways.get(2) ?? []).y).toBeGreaterThan(middleOf(ways.get(3) ?? []).y);
    expect(pathOf(ways.get(2) ?? [])).toMatch(/^M560,20 L.*Q.*L0,20$/);
  });
});
