import fc from 'fast-check';
import { expect, test } from 'vitest';
import { childrenFirst } from './children-first.ts';
import { type Coverage, coverageOf } from './coverage.ts';
import { buildDatasetGraph } from './dataset-graph.ts';
import type { KeepRule } from './keep-rule.ts';
import { parseDatasets } from './parse-datasets.ts';

const NOW = new Date('2026-01-01T00:00:00Z');

interface RandomEdge {
  readonly child: number;
  readonly parent: number;
  readonly direction: 'from' | 'to';
  readonly wish: 'delete' | 'detach' | 'mask';
}

/** Collections `c0 …` with references among them, some with an identity. */
const randomGraph = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc.record({
    size: fc.constant(size),
    roots: fc.uniqueArray(fc.nat(size - 1), { maxLength: 3 }),
    edges: fc.array(
      fc.record<RandomEdge>({
        child: fc.nat(size - 1),
        parent: fc.nat(size - 1),
        direction: fc.constantFrom('from' as const, 'to' as const),
        wish: fc.constantFrom('delete' as const, 'detach' as const, 'mask' as const),
      }),
      { maxLength: 30 },
    ),
  }),
);

function textOf(size: number, roots: readonly number[], edges: readonly RandomEdge[]): string {
  const collections = Array.from({ length: size }, (_, index) => ({
    name: `c${index}`,
    fields: [
      { name: 'id', fides_meta: { primary_key: true } },
      { name: 'text', data_categories: ['user.content'] },
      ...(roots.includes(index)
        ? [{ name: 'mail', data_categories: ['user.contact.email'], fides_meta: { identity: 'email' } }]
        : []),
      ...edges.flatMap((edge, number) =>
        edge.child === index
          ? [
              {
                name: `e${number}`,
                fides_meta: {
                  references: [{ dataset: 'd', field: `c${edge.parent}.id`, direction: edge.direction }],
                },
                habeas: { on_erase: edge.wish },
              },
            ]
          : [],
      ),
    ],
  }));
  return JSON.stringify({ dataset: [{ fides_key: 'd', collections }] });
}

function cover(
  text: string,
  options: { types?: readonly string[]; keepRules?: readonly KeepRule[]; now?: Date } = {},
): Coverage {
  return coverageOf(buildDatasetGraph(parseDatasets(text, 'd.yml')), {
    identityTypes: options.types ?? ['email'],
    keepRules: options.keepRules ?? [],
    now: options.now ?? NOW,
  });
}

test('every collection is reached once or named as a gap, whatever circles there are', () => {
  fc.assert(
    fc.property(randomGraph, ({ size, roots, edges }) => {
      const coverage = cover(textOf(size, roots, edges));
      // The naive answer: follow until nothing new is found.
      const followed = new Set(roots);
      for (let before = -1; before !== followed.size; ) {
        before = followed.size;
        for (const { child, parent, direction, wish } of edges) {
          const [from, to] = direction === 'from' ? [parent, child] : [child, parent];
          if (wish !== 'detach' && followed.has(from)) followed.add(to);
        }
      }
      const touched = new Set([
        ...followed,
        ...edges.flatMap(({ child, parent, direction }) => {
          const [from, to] = direction === 'from' ? [parent, child] : [child, parent];
          return followed.has(from) ? [to] : [];
        }),
      ]);
      const names = coverage.collections.map(({ collection }) => collection);
      expect(new Set(names).size).toBe(names.length);
      expect(names.toSorted()).toEqual([...touched].map((index) => `c${index}`).toSorted());
      expect([...names, ...coverage.unreachable.map(({ collection }) => collection)].toSorted()).toEqual(
        Array.from({ length: size }, (_, index) => `c${index}`).toSorted(),
      );
    }),
    { numRuns: 300 },
  );
});

test('what holds a reference is erased before what it points at, unless they hang together in a circle', () => {
  fc.assert(
    fc.property(randomGraph, ({ size, roots, edges }) => {
      const order = cover(textOf(size, roots, edges)).collections.map(({ collection }) => collection);
      const parents = new Map<string, Set<string>>();
      for (const { child, parent } of edges)
        parents.set(`c${child}`, (parents.get(`c${child}`) ?? new Set()).add(`c${parent}`));
      const leadsTo = (from: string, to: string, seen = new Set<string>()): boolean =>
        [...(parents.get(from) ?? [])].some(
          (next) =>
            next === to || (!seen.has(next) && order.includes(next) && leadsTo(next, to, seen.add(next))),
        );
      for (const { child, parent } of edges) {
        const [a, b] = [order.indexOf(`c${child}`), order.indexOf(`c${parent}`)];
        if (a < 0 || b < 0 || child === parent || leadsTo(`c${parent}`, `c${child}`)) continue;
        expect(a).toBeLessThan(b);
      }
    }),
    { numRuns: 300 },
  );
});

test('groups of children and parents are exactly those that lead to each other', () => {
  fc.assert(
    fc.property(
      fc
        .integer({ min: 1, max: 10 })
        .chain((size) =>
          fc.tuple(
            fc.constant(size),
            fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 25 }),
          ),
        ),
      ([size, arcs]) => {
        const names = Array.from({ length: size }, (_, index) => `${index}`);
        const groups = childrenFirst(names, (name) =>
          arcs.filter(([child]) => `${child}` === name).map(([, parent]) => `${parent}`),
        );
        const reaches = names.map((_, start) => {
          const seen = new Set([start]);
          for (const at of seen) for (const [child, parent] of arcs) if (child === at) seen.add(parent);
          return seen;
        });
        expect(groups.flat().toSorted()).toEqual(names.toSorted());
        const groupOf = new Map(
          groups.flatMap((group, index) => group.map((name) => [name, index] as const)),
        );
        for (const a of names.keys()) {
          for (const b of names.keys()) {
            const together = reaches[a]?.has(b) === true && reaches[b]?.has(a) === true;
            expect(groupOf.get(`${a}`) === groupOf.get(`${b}`)).toBe(together);
            if (!together && reaches[a]?.has(b))
              expect(groupOf.get(`${a}`)).toBeLessThan(groupOf.get(`${b}`) ?? -1);
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

const SHOP = `dataset:
  - fides_key: shop
    collections:
      - name: customers
        habeas: { on_erase: delete }
        fields:
          - { name: id, data_categories: [user.unique_id], fides_meta: { primary_key: true, identity: customer_id } }
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
          - { name: iban, data_categories: [user.financial.bank_account] }
      - name: orders
        fields:
          - { name: customer, data_categories: [user.unique_id], fides_meta: { references: [{ dataset: shop, field: customers.id, direction: from }] }, habeas: { on_erase: anonymize } }
          - { name: address, data_categories: [system.operations], fides_meta: { references: [{ dataset: shop, field: addresses.id, direction: to }] }, habeas: { share: shared } }
          - { name: note, data_categories: [user.content.private] }
          - { name: total, data_categories: [user.financial] }
          - { name: state, data_categories: [system.operations] }
      - name: addresses
        habeas: { on_erase: delete }
        fields:
          - { name: id, data_categories: [user.unique_id], fides_meta: { primary_key: true } }
          - { name: street, data_categories: [user.contact.address.street] }
      - name: visits
        fields:
          - { name: visitor, data_categories: [user.device.cookie_id], fides_meta: { identity: cookie } }
      - name: notes
        fields: [{ name: text, data_categories: [user.content] }]
      - name: colours
        fields: [{ name: name, data_categories: [system.operations] }]
`;

test('a coverage says of each collection what happens, to which fields, and how it is reached', () => {
  const coverage = cover(SHOP);
  expect(coverage.collections).toMatchObject([
    {
      collection: 'orders',
      treatment: 'anonymize',
      fields: ['note', 'total', 'address'],
      categories: ['user.content.private', 'user.financial'],
      reachedBy: 'from customers, where orders.customer = customers.id',
      shared: false,
    },
    { collection: 'addresses', treatment: 'delete', treatments: ['delete', 'detach'], shared: true },
    {
      collection: 'customers',
      treatment: 'delete',
      fields: ['id', 'email', 'iban'],
      reachedBy: 'identity email in customers.email',
    },
  ]);
  expect(coverage.unreachable).toEqual([
    { collection: 'visits', reason: 'it is found by cookie, which is not known' },
    { collection: 'notes', reason: 'it has no identity field and no reference leads to it' },
  ]);
  expect(coverage.identitiesNeeded).toEqual(['cookie', 'customer_id', 'email']);
  expect(coverage.identitiesResolved).toEqual(['customer_id', 'email']);
});

test('a duty to keep a category turns a deletion into a mask, and keeps everything below the category', () => {
  const keepRules = [
    { category: 'user.financial', reason: 'tax law', legalBasis: 'section 1', until: '2031-12-31' },
  ];
  const kept = cover(SHOP, { keepRules });
  expect(kept.collections).toMatchObject([
    {
      collection: 'orders',
      treatment: 'anonymize',
      fields: ['note', 'address'],
      kept: [{ fields: ['total'], reason: 'tax law' }],
    },
    { collection: 'addresses', treatment: 'delete' },
    {
      collection: 'customers',
      treatment: 'mask',
      fields: ['email'],
      kept: [
        {
          fields: ['iban'],
          categories: ['user.financial.bank_account'],
          reason: 'tax law',
          legalBasis: 'section 1',
          until: '2031-12-31',
        },
      ],
    },
  ]);
  expect(cover(SHOP, { keepRules, now: new Date('2031-12-31T23:00:00Z') })).toEqual(kept);
  expect(cover(SHOP, { keepRules, now: new Date('2032-01-01T00:00:00Z') })).toEqual(cover(SHOP));
  expect(cover(SHOP, { keepRules: [{ ...keepRules[0], category: 'user.fin' } as KeepRule] })).toEqual(
    cover(SHOP),
  );
});

test('where all personal fields are kept, the collection is kept, with the reason', () => {
  const keepRules = [{ category: 'user', reason: 'a court says so', legalBasis: null, until: null }];
  expect(
    cover(SHOP, { keepRules }).collections.filter(({ treatment }) => treatment === 'keep'),
  ).toMatchObject([
    { collection: 'addresses', fields: ['street'] },
    {
      collection: 'customers',
      fields: ['email', 'iban'],
      reason: 'a court says so',
      legalBasis: null,
      until: null,
    },
  ]);
});

test('an identity that a reached collection tells opens further collections', () => {
  const text = SHOP.replace(
    '{ name: iban, data_categories: [user.financial.bank_account] }',
    '{ name: iban, data_categories: [user.financial.bank_account], fides_meta: { identity: cookie } }',
  );
  expect(cover(text).collections.map(({ collection }) => collection)).toContain('visits');
});

test('ten thousand collections are covered in time that grows with their number only', () => {
  const timeOf = (size: number) => {
    const edges = Array.from(
      { length: size - 1 },
      (_, index): RandomEdge => ({ child: index + 1, parent: index >> 1, direction: 'from', wish: 'delete' }),
    );
    const fields = new Map<number, RandomEdge>(edges.map((edge) => [edge.child, edge]));
    const collections = Array.from({ length: size }, (_, index) => ({
      name: `c${index}`,
      fields: [
        {
          name: 'id',
          data_categories: ['user.unique_id'],
          fides_meta: { primary_key: true, ...(index === 0 ? { identity: 'email' } : {}) },
        },
        {
          name: 'up',
          data_categories: ['user.content'],
          fides_meta: {
            references:
              index === 0
                ? []
                : [{ dataset: 'd', field: `c${fields.get(index)?.parent}.id`, direction: 'from' }],
          },
        },
      ],
    }));
    const graph = buildDatasetGraph(
      parseDatasets(JSON.stringify({ dataset: [{ fides_key: 'd', collections }] }), 'd.yml'),
    );
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now();
      expect(
        coverageOf(graph, { identityTypes: ['email'], keepRules: [], now: NOW }).collections,
      ).toHaveLength(size);
      return performance.now() - start;
    });
    return Math.min(...times);
  };
  const small = timeOf(1_250);
  const large = timeOf(10_000);
  // Eight times as many; a quadratic step would take 64 times as long.
  expect(large).toBeLessThan(40 * small + 50);
});
