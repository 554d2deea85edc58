import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { documentOf, HOSTILE_NAMES, mapOf, randomMap } from '../../../test/random-map.ts';
import { elementsOf, readXml } from '../../../test/read-xml.ts';
import { requireProgram } from '../../../test/requirements.ts';
import { dotOf } from './dot.ts';
import { drawingOf } from './drawing.ts';
import { mermaidOf } from './mermaid.ts';
import { placeNodes } from './place-nodes.ts';
import { plainText } from './stamp-lines.ts';
import { svgOf } from './svg.ts';

const dot = requireProgram('dot');

/** Every hostile name as service, team and data type, each sending to the next. */
const hostile = mapOf({
  services: HOSTILE_NAMES.map((name) => ({ name, team: name, stores: [name] })),
  flows: HOSTILE_NAMES.map((name, index) => ({
    from: name,
    to: HOSTILE_NAMES[(index + 1) % HOSTILE_NAMES.length] ?? '',
    data_type: name,
  })),
});

/** So many services of ten teams, each sending to the next. */
const chain = (count: number, teams = 10) =>
  mapOf({
    services: Array.from({ length: count }, (_, index) => ({
      name: `s${index}`,
      team: `team ${index % teams}`,
    })),
    flows: Array.from({ length: count - 1 }, (_, index) => ({
      from: `s${index}`,
      to: `s${index + 1}`,
      data_type: 'email',
    })),
  });

const text = (parts: Iterable<string>) => [...parts].join('');

/** The text of an element that Graphviz wrote; it makes spaces unbreakable. */
function decode(words: string): string {
  const names: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };
  return words
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll(/&(amp|lt|gt|quot);/g, (_, name: string) => names[name] ?? '')
    .replaceAll('\u00a0', ' ');
}

describe('every picture', () => {
  it.each([
    ['mermaid', mermaidOf],
    ['dot', dotOf],
    ['svg', svgOf],
  ])('in %s is the same for the same map in another order, and carries its stamp', (_, write) => {
    fc.assert(
      fc.property(randomMap, (map) => {
        const document = documentOf(map);
        const turned = { ...map, services: map.services.toReversed(), flows: map.flows.toReversed() };
        const drawn = text(write(document));
        // Of a service that two teams claim the first one counts.
        if (new Set(map.services.map(({ name }) => name)).size === map.services.length)
          expect(text(write({ ...document, map: turned }))).toBe(drawn);
        for (const part of ['Data map of acme', document.stamp.sha256, document.stamp.as_of, 'Filter: none'])
          expect(drawn).toContain(part);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a drawing', () => {
  it('has a box for a service and one arrow for all that flows between two', () => {
    const map = mapOf({
      services: [
        { name: 'orders', stores: ['email', 'name'] },
        { name: 'vendor', team: null },
      ],
      flows: [
        { from: 'orders', to: 'vendor', data_type: 'name' },
        { from: 'orders', to: 'vendor', data_type: 'email' },
      ],
    });
    expect(drawingOf(map)).toEqual({
      nodes: [
        { label: 'orders', team: 'shop', detail: 'email, name' },
        { label: 'vendor', team: null, detail: '' },
      ],
      edges: [{ from: 0, to: 1, label: 'email, name' }],
      teams: ['shop'],
      notice: undefined,
    });
  });

  it('of too much shows teams, and says so', () => {
    expect(drawingOf(chain(300)).notice).toBe(undefined);
    const drawing = drawingOf(chain(301));
    expect([drawing.nodes.length, drawing.edges.length]).toEqual([10, 10]);
    expect(drawing.notice).toContain('The map has 301 services and 300 pairs');
  });

  it('of too many teams shows the strongest arrows, and says how many', () => {
    const drawing = drawingOf(chain(400, 400));
    expect(drawing.nodes.length).toBeLessThanOrEqual(300);
    expect(drawing.notice).toContain(`only ${drawing.edges.length} of 399 arrows`);
  });
});

describe('Mermaid', () => {
  const LINE =
    /^(flowchart LR| {2}%% [^{}\n]*| {2}subgraph t\d+\["[^"\n]*"\]| {2}end| {2,4}n\d+\["[^"\n]*"\]| {2}n\d+ -->\|"[^"\n]*"\| n\d+)$/;

  it('has nothing but boxes, arrows, groups and remarks, whatever the names are', () => {
    fc.assert(
      fc.property(randomMap, (map) => {
        const lines = text(mermaidOf(documentOf(map)))
          .trimEnd()
          .split('\n');
        expect(lines.filter((line) => !LINE.test(line))).toEqual([]);
      }),
    );
  });

  it('shows every name as it is', () => {
    const drawn = text(mermaidOf(documentOf(hostile)));
    const shown = [...drawn.matchAll(/^ *t?n\d+\["([^"]*)<br\/>/gm)].map(([, label = '']) =>
      label.replaceAll(/#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code))),
    );
    expect(new Set(shown)).toEqual(new Set(HOSTILE_NAMES.map(plainText)));
  });

  it('has no more arrows than Mermaid draws', () => {
    const drawn = text(mermaidOf(documentOf(chain(600))));
    expect(drawn.match(/-->/g)?.length).toBeLessThanOrEqual(500);
    expect(drawn).toContain('too many to draw');
  });

  it('has no more text than Mermaid reads', () => {
    const long = (name: string) => `${name}${'"'.repeat(190)}`;
    const { services, flows, ...map } = chain(200);
    const drawn = mermaidOf(
      documentOf({
        ...map,
        services: services.map((service) => ({
          ...service,
          name: long(service.name),
          team: long(service.name),
        })),
        flows: flows.map((flow) => ({ ...flow, from: long(flow.from), to: long(flow.to) })),
      }),
    );
    expect(text(drawn).length).toBeLessThanOrEqual(50_000);
  });
});

describe.skipIf(dot === undefined)('Graphviz', () => {
  it('draws every name as it is', () => {
    const input = text(dotOf(documentOf(hostile)));
    const { status, stdout } = spawnSync(dot ?? '', ['-Tsvg'], { input, encoding: 'utf8' });
    expect(status).toBe(0);
    const shown = new Set(
      [...stdout.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, words = '']) => decode(words)),
    );
    for (const name of HOSTILE_NAMES.map(plainText).filter((name) => name !== ' '))
      expect(shown).toContain(name);
    expect(stdout.match(/class="edge"/g)).toHaveLength(HOSTILE_NAMES.length);
  });

  it('takes any map', () => {
    fc.assert(
      fc.property(randomMap, (map) => {
        const input = text(dotOf(documentOf(map)));
        expect(spawnSync(dot ?? '', ['-Tdot'], { input }).status).toBe(0);
      }),
      { numRuns: 20 },
    );
  });
});

describe('SVG', () => {
  it('is well-formed XML without script, link or style from outside, whatever the names are', () => {
    fc.assert(
      fc.property(randomMap, (map) => {
        const [svg] = readXml(text(svgOf(documentOf(map)))).children;
        if (svg === undefined) throw new Error('no root');
        for (const name of ['script', 'a', 'image', 'style', 'foreignObject', 'use'])
          expect(elementsOf(svg, name)).toEqual([]);
        const { nodes, edges } = drawingOf(map);
        expect(elementsOf(svg, 'g')).toHaveLength(nodes.length + 1);
        const arrows = elementsOf(svg, 'path').filter((path) => path.attributes['marker-end'] !== undefined);
        expect(arrows).toHaveLength(edges.length);
        for (const { attributes } of arrows) expect(attributes.d).toMatch(/^M[\d.]+ [\d.]+(C[-\d. ]+)+$/);
      }),
    );
  });

  it('can be read aloud: it has a title, a description, and a sentence for each box and arrow', () => {
    const map = mapOf({
      services: [
        { name: 'orders', stores: ['email'] },
        { name: 'vendor', team: null },
      ],
      flows: [{ from: 'orders', to: 'vendor', data_type: 'email' }],
    });
    const [svg] = readXml(text(svgOf(documentOf(map)))).children;
    if (svg === undefined) throw new Error('no root');
    expect(svg.attributes).toMatchObject({ role: 'img', 'aria-labelledby': 'title desc' });
    expect(elementsOf(svg, 'desc')[0]?.text).toContain('Filter: none, the whole map');
    expect(elementsOf(svg, 'title').map((title) => title.text)).toEqual([
      'Data map of acme',
      'orders sends email to vendor',
      'orders, team shop, stores email',
      'vendor, not declared by any team',
    ]);
  });

  it('draws no box over another, and none outside of the picture', () => {
    fc.assert(
      fc.property(randomMap, (map) => {
        const [svg] = readXml(text(svgOf(documentOf(map)))).children;
        if (svg === undefined) throw new Error('no root');
        const boxes = elementsOf(svg, 'g')
          .slice(1)
          .map((group) => {
            const [x = 0, y = 0] = (group.attributes.transform?.match(/[\d.]+/g) ?? []).map(Number);
            const { width, height } = group.children.find(({ name }) => name === 'rect')?.attributes ?? {};
            return { left: x, top: y, right: x + Number(width), bottom: y + Number(height) };
          });
        for (const [index, a] of boxes.entries()) {
          expect(a.right).toBeLessThanOrEqual(Number(svg.attributes.width));
          expect(a.bottom).toBeLessThanOrEqual(Number(svg.attributes.height));
          for (const b of boxes.slice(index + 1))
            expect(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top).toBe(
              true,
            );
        }
      }),
    );
  });

  it('ends each arrow at its receiver, coming from where it looks', () => {
    fc.assert(
      fc.property(randomMap, (map) => {
        const { nodes, edges } = drawingOf(map);
        const links = edges.filter(({ from, to }) => from !== to);
        const sizes = nodes.map((_, index) => ({ width: 80 + (index % 3) * 30, height: 50 }));
        const { corners, routes } = placeNodes({ sizes, links, columnGap: 60, rowGap: 16 });
        for (const [index, { from, to }] of links.entries()) {
          const route = routes[index] ?? [];
          const sideOf = (node: number, x?: number) => {
            const left = corners[node]?.x ?? 0;
            return x === left ? 'left' : x === left + (sizes[node]?.width ?? 0) ? 'right' : 'off';
          };
          const isBack = (corners[to]?.x ?? 0) < (corners[from]?.x ?? 0);
          expect([sideOf(from, route[0]?.x), sideOf(to, route.at(-1)?.x)]).toEqual(
            isBack ? ['left', 'right'] : ['right', 'left'],
          );
          const xs = route.map(({ x }) => x);
          expect(xs).toEqual(xs.toSorted((a, b) => (isBack ? b - a : a - b)));
          expect(new Set(route.map(({ x, y }) => `${x} ${y}`)).size).toBe(route.length);
        }
      }),
    );
  });

  it('of the largest map that is drawn takes a moment, not seconds', () => {
    const services = Array.from({ length: 300 }, (_, index) => ({
      name: `s${index}`,
      team: `team ${index % 7}`,
    }));
    const flows = Array.from({ length: 600 }, (_, index) => ({
      from: `s${(index * 7) % 150}`,
      to: `s${150 + ((index * 13) % 150)}`,
      data_type: `t${index % 5}`,
    }));
    const started = performance.now();
    text(svgOf(documentOf(mapOf({ services, flows }))));
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});
