import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FlowSeen } from './graph.ts';
import { knownDeclaration } from './known-declaration.ts';
import { edgesOnTheWay, reach } from './reach.ts';
import { reachOfAll } from './reach-of-all.ts';
import { simplePaths } from './simple-paths.ts';
import { strongComponents } from './strong-components.ts';
import { typeGraphsOf } from './type-graph.ts';

const at = new Date('2026-11-21T08:00:00Z');
const SERVICES = ['a', 'b', 'c', 'd', '__proto__', 'constructor'];

function flow(service: string, toService: string, dataType: string, source = 'page'): FlowSeen {
  const declaration = { kind: 'transmit' as const, team: 't', service, toService, dataType };
  const known = knownDeclaration(JSON.stringify(declaration), declaration);
  return {
    known,
    declaration,
    source,
    evidence: 'observed',
    firstSeen: at.getTime(),
    lastSeen: at.getTime(),
  };
}

const label = fc.constantFrom(...SERVICES);
const flows = fc.array(
  fc
    .tuple(label, label, fc.constantFrom('ip', 'name'), fc.constantFrom('page', 'other'))
    .map((parts) => flow(...parts)),
  { maxLength: 16 },
);

/** Everything by trying everything: pairs that are joined along one data type, by repeated squaring of nothing clever. */
function closureByHand(all: readonly FlowSeen[], dataType: string): ReadonlySet<string> {
  const joined = new Set(
    all.flatMap(({ declaration: { service, toService, dataType: type } }) =>
      type === dataType ? JSON.stringify([service, toService]) : [],
    ),
  );
  for (const middle of SERVICES) {
    for (const from of SERVICES) {
      for (const to of SERVICES) {
        const ways = [JSON.stringify([from, middle]), JSON.stringify([middle, to])];
        if (ways.every((way) => joined.has(way))) joined.add(JSON.stringify([from, to]));
      }
    }
  }
  return joined;
}

/** All simple paths of services, by trying every order of every choice. */
function pathsByHand(all: readonly FlowSeen[], from: string, to: string, maxHops: number): readonly string[] {
  const found = new Set<string>();
  const walk = (path: readonly string[], dataType: string) => {
    const last = path.at(-1);
    if (last === to) {
      if (path.length > 1) found.add(path.join(' '));
      return;
    }
    if (path.length > maxHops) return;
    for (const { declaration } of all) {
      const next = declaration.toService;
      if (declaration.dataType !== dataType || declaration.service !== last || path.includes(next)) continue;
      walk([...path, next], dataType);
    }
  };
  for (const dataType of ['ip', 'name']) walk([from], dataType);
  return [...found].sort();
}

describe('upstream and downstream', () => {
  it('follow one data type only, find each service once and end on cycles', () => {
    fc.assert(
      fc.property(flows, label, (all, start) => {
        for (const graph of typeGraphsOf(all)) {
          const joined = closureByHand(all, graph.dataType);
          const down = reach(graph, start, 'downstream').map(({ service }) => service);
          const up = reach(graph, start, 'upstream').map(({ service }) => service);
          const others = SERVICES.filter((service) => service !== start);
          expect(down.toSorted()).toEqual(
            others.filter((service) => joined.has(JSON.stringify([start, service]))).sort(),
          );
          expect(up.toSorted()).toEqual(
            others.filter((service) => joined.has(JSON.stringify([service, start]))).sort(),
          );
        }
      }),
    );
  });

  it('give the length of a shortest way, and a neighbour on it', () => {
    const [graph] = typeGraphsOf([
      flow('a', 'b', 'ip'),
      flow('b', 'c', 'ip'),
      flow('a', 'd', 'ip'),
      flow('d', 'c', 'ip'),
      flow('c', 'a', 'ip'),
      flow('a', 'c', 'name'),
    ]);
    if (graph === undefined) throw new Error('There is no graph.');
    const reached = reach(graph, 'a', 'downstream');
    expect(reached).toEqual([
      { service: 'b', dataType: 'ip', hops: 1, via: 'a' },
      { service: 'd', dataType: 'ip', hops: 1, via: 'a' },
      { service: 'c', dataType: 'ip', hops: 2, via: 'b' },
    ]);
    const edges = edgesOnTheWay(graph, 'a', 'downstream', reached).map(({ from, to }) => `${from}→${to}`);
    expect(edges).toEqual(['a→b', 'a→d', 'b→c', 'd→c', 'c→a']);
  });

  it('of all services together are those of each one', () => {
    fc.assert(
      fc.property(flows, fc.constantFrom('upstream', 'downstream'), (all, direction) => {
        const graphs = typeGraphsOf(all);
        const together = reachOfAll(graphs, SERVICES, direction);
        for (const service of SERVICES) {
          const alone = new Set(
            graphs.flatMap((graph) => reach(graph, service, direction).map((place) => place.service)),
          );
          expect([service, together.get(service)]).toEqual([service, alone.size]);
        }
      }),
    );
  });

  it('are counted right for more services than a word has bits, on a cycle of all', () => {
    const names = Array.from({ length: 100 }, (_, index) => `s${index}`);
    const ring = names.map((name, index) => flow(name, names[(index + 1) % 100] ?? '', 'ip'));
    const counts = new Set(reachOfAll(typeGraphsOf(ring), names, 'downstream').values());
    expect([...counts]).toEqual([99]);
    const chain = reachOfAll(typeGraphsOf(ring.slice(0, -1)), names, 'downstream');
    expect(names.map((name) => chain.get(name))).toEqual(names.map((_, index) => 99 - index));
  });
});

describe('strong components', () => {
  it('are the services that reach each other, each after all that it reaches', () => {
    const graph = fc.array(fc.array(fc.nat(5), { maxLength: 3 }), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(graph, (targets) => {
        const { of } = strongComponents(targets);
        const reaches = (from: number, to: number) => {
          const seen = [from];
          for (const node of seen)
            for (const next of targets[node] ?? []) if (!seen.includes(next)) seen.push(next);
          return seen.includes(to);
        };
        for (const from of targets.keys()) {
          for (const to of targets.keys()) {
            expect(of[from] === of[to]).toBe(reaches(from, to) && reaches(to, from));
            if (reaches(from, to)) expect(of[from]).toBeGreaterThanOrEqual(of[to] ?? 0);
          }
        }
      }),
    );
  });
});

describe('paths', () => {
  it('are all simple ways of one data type up to the bound, the shortest first', () => {
    fc.assert(
      fc.property(flows, label, label, fc.integer({ min: 1, max: 6 }), (all, from, to, maxHops) => {
        fc.pre(from !== to);
        const { paths, truncated } = simplePaths(typeGraphsOf(all), { from, to, maxHops, limit: 1_000 });
        expect(truncated).toBe(false);
        expect(paths.map(({ services }) => services.join(' ')).sort()).toEqual(
          pathsByHand(all, from, to, maxHops),
        );
        const lengths = paths.map(({ services }) => services.length);
        expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
        for (const { services, dataTypes, hops } of paths) {
          expect(hops).toHaveLength(services.length - 1);
          for (const [hop, edges] of hops.entries()) {
            expect(edges.map(({ dataType }) => dataType).sort()).toEqual(dataTypes);
            for (const edge of edges) expect([edge.from, edge.to]).toEqual(services.slice(hop, hop + 2));
          }
        }
      }),
    );
  });

  it('do not change the data type on the way', () => {
    const graphs = typeGraphsOf([flow('a', 'b', 'ip'), flow('b', 'c', 'name')]);
    expect(simplePaths(graphs, { from: 'a', to: 'c', maxHops: 6, limit: 10 }).paths).toEqual([]);
  });

  it('give every source of a hop as its evidence', () => {
    const graphs = typeGraphsOf([flow('a', 'b', 'ip', 'page'), flow('a', 'b', 'ip', 'other')]);
    const { paths } = simplePaths(graphs, { from: 'a', to: 'b', maxHops: 6, limit: 10 });
    expect(
      paths.flatMap(({ hops }) => hops.flat()).map((edge) => edge.sayings.map(({ source }) => source)),
    ).toEqual([['page', 'other']]);
  });

  it('stop at the limit and say so, with the shortest kept', () => {
    const middle = Array.from({ length: 20 }, (_, index) => `m${index}`);
    const graphs = typeGraphsOf([
      ...middle.flatMap((name) => [flow('a', name, 'ip'), flow(name, 'z', 'ip')]),
      flow('a', 'z', 'ip'),
    ]);
    const { paths, truncated } = simplePaths(graphs, { from: 'a', to: 'z', maxHops: 6, limit: 5 });
    expect(truncated).toBe(true);
    expect(paths).toHaveLength(5);
    expect(paths[0]?.services).toEqual(['a', 'z']);
  });

  it('end in a graph in which everything sends to everything', () => {
    const names = Array.from({ length: 40 }, (_, index) => `s${index}`);
    const all = names.flatMap((from) => names.flatMap((to) => (from === to ? [] : flow(from, to, 'ip'))));
    const { truncated, paths } = simplePaths(typeGraphsOf(all), {
      from: 's0',
      to: 's1',
      maxHops: 12,
      limit: 100,
    });
    expect(truncated).toBe(true);
    expect(paths).toHaveLength(100);
  });
});
