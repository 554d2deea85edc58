import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addedIdentities } from './added-identities.ts';
import { buildDatasetGraph, type DatasetGraph } from './dataset-graph.ts';
import { parseDatasets } from './parse-datasets.ts';

interface RandomReference {
  readonly child: number;
  readonly parent: number;
  readonly direction: 'from' | 'to' | 'both';
  /** Whether it leads to the key of the parent, or to a field that several rows share. */
  readonly toKey: boolean;
}

interface RandomShop {
  readonly size: number;
  readonly roots: readonly number[];
  readonly references: readonly RandomReference[];
  /** Small numbers, so that many rows belong together. */
  readonly numbers: readonly number[];
}

const ROWS = 6;
const MAILS = 3;

const randomShop: fc.Arbitrary<RandomShop> = fc.integer({ min: 1, max: 6 }).chain((size) =>
  fc.record({
    size: fc.constant(size),
    roots: fc.uniqueArray(fc.nat(size - 1), { minLength: 1, maxLength: 2 }),
    references: fc.array(
      fc.record({
        child: fc.nat(size - 1),
        parent: fc.nat(size - 1),
        direction: fc.constantFrom('from', 'to', 'both', 'both'),
        toKey: fc.boolean(),
      }),
      { maxLength: 6 },
    ),
    numbers: fc.array(fc.nat(ROWS - 1), { minLength: 60, maxLength: 60 }),
  }),
);

function graphOf({ size, roots, references }: RandomShop): DatasetGraph {
  const collections = Array.from({ length: size }, (_, index) => ({
    name: `c${index}`,
    fields: [
      { name: 'id', fides_meta: { primary_key: true } },
      { name: 'group' },
      ...(roots.includes(index) ? [{ name: 'mail', fides_meta: { identity: 'email' } }] : []),
      ...references.flatMap(({ child, parent, direction, toKey }, number) =>
        child === index
          ? [
              {
                name: `r${number}`,
                fides_meta: {
                  references: [
                    {
                      dataset: 'd',
                      field: `c${parent}.${toKey ? 'id' : 'group'}`,
                      ...(direction === 'both' ? {} : { direction }),
                    },
                  ],
                },
              },
            ]
          : [],
      ),
    ],
  }));
  return buildDatasetGraph(
    parseDatasets(JSON.stringify({ dataset: [{ fides_key: 'd', collections }] }), 'd.yml'),
  );
}

type Row = Readonly<Record<string, number>>;

/** Keys are unique; everything else is as it comes. */
function rowsOf({ size, references, numbers }: RandomShop): ReadonlyMap<string, readonly Row[]> {
  let at = 0;
  const next = () => {
    at = (at + 1) % numbers.length;
    return (numbers[at] ?? 0) + (at % 2);
  };
  return new Map(
    Array.from({ length: size }, (_, index) => [
      `c${index}`,
      Array.from({ length: ROWS }, (_, id) => ({
        id,
        group: next() % 2,
        mail: next() % MAILS,
        ...Object.fromEntries(references.map((_, number) => [`r${number}`, next() % ROWS])),
      })),
    ]),
  );
}

/** The e-mail addresses in all rows that a search for one leads to, without those that these tell. */
function toldFor(mail: number, graph: DatasetGraph, rows: ReadonlyMap<string, readonly Row[]>): Set<number> {
  const found = new Set<Row>();
  const queue: { readonly name: string; readonly row: Row }[] = [];
  const find = (name: string, wanted: (row: Row) => boolean) => {
    for (const row of rows.get(name) ?? []) {
      if (found.has(row) || !wanted(row)) continue;
      found.add(row);
      queue.push({ name, row });
    }
  };
  const told = new Set<number>();
  for (const { name, roots } of graph.nodes.values())
    if (roots.length > 0) find(name, (row) => row.mail === mail);
  for (const { name, row } of queue) {
    const node = graph.nodes.get(name);
    if (node !== undefined && node.roots.length > 0) told.add(row.mail ?? -1);
    for (const { to, fromColumns, toColumns } of node?.outgoing ?? [])
      find(to, (other) => fromColumns.every((column, at) => row[column] === other[toColumns[at] ?? '']));
  }
  return told;
}

test('what is said to tell nothing that was not asked tells nothing else, whatever the references and the rows', () => {
  let silent = 0;
  let telling = 0;
  fc.assert(
    fc.property(randomShop, (shop) => {
      const graph = graphOf(shop);
      const rows = rowsOf(shop);
      const adds = addedIdentities(graph).has('email');
      for (let mail = 0; mail < MAILS; mail += 1) {
        const others = [...toldFor(mail, graph, rows)].filter((told) => told !== mail);
        if (others.length > 0) telling += 1;
        else if (!adds) silent += 1;
        if (!adds) expect(others).toEqual([]);
      }
    }),
    { numRuns: 3_000 },
  );
  // Both kinds came up.
  expect(silent).toBeGreaterThan(100);
  expect(telling).toBeGreaterThan(100);
});

const field = (name: string, more: object = {}) => ({ name, ...more });
const ID = field('id', { fides_meta: { primary_key: true } });
const MAIL = field('mail', { fides_meta: { identity: 'email' } });

function adds(collections: Readonly<Record<string, readonly object[]>>): readonly string[] {
  const named = Object.entries(collections).map(([name, fields]) => ({ name, fields }));
  const text = JSON.stringify({ dataset: [{ fides_key: 'd', collections: named }] });
  return [...addedIdentities(buildDatasetGraph(parseDatasets(text, 'd.yml')))].sort();
}

const leadsTo = (target: string, direction?: 'from' | 'to') => ({
  fides_meta: { references: [{ dataset: 'd', field: target, ...(direction && { direction }) }] },
});
const identity = (type: string) => ({ fides_meta: { identity: type } });

test.each<[string, Readonly<Record<string, readonly object[]>>, readonly string[]]>([
  ['a shop whose customers have an address', { customers: [ID, MAIL] }, []],
  [
    'a shop whose orders and their lines lead back to who ordered',
    {
      customers: [ID, MAIL],
      orders: [ID, field('customer', leadsTo('customers.id'))],
      lines: [ID, field('order', leadsTo('orders.id'))],
    },
    [],
  ],
  [
    'orders that two customers have, one pays and one receives',
    {
      customers: [ID, MAIL],
      orders: [ID, field('payer', leadsTo('customers.id')), field('receiver', leadsTo('customers.id'))],
    },
    ['email'],
  ],
  [
    'a reference to what is no key',
    { customers: [ID, MAIL, field('home')], orders: [ID, field('home', leadsTo('customers.home'))] },
    ['email'],
  ],
  [
    'orders of which the lines are found through gifts, too',
    {
      customers: [ID, MAIL],
      orders: [ID, field('customer', leadsTo('customers.id'))],
      lines: [ID, field('order', leadsTo('orders.id')), field('gift', leadsTo('gifts.id', 'from'))],
      gifts: [ID, field('giver', leadsTo('customers.id', 'from'))],
    },
    ['email'],
  ],
  [
    'orders that are found by another identity, too',
    {
      customers: [ID, MAIL],
      orders: [ID, field('card', identity('card')), field('customer', leadsTo('customers.id'))],
    },
    ['card', 'email'],
  ],
  [
    'customers who lead to others',
    { customers: [ID, MAIL, field('friend', leadsTo('customers.id', 'to'))] },
    ['email'],
  ],
  [
    'two identities in a row',
    { customers: [ID, MAIL, field('user', identity('user_id'))] },
    ['email', 'user_id'],
  ],
  ['what may be printed in another way', { visits: [ID, field('user', identity('user_id'))] }, ['user_id']],
  [
    'an address that is the same without what is behind a plus',
    { customers: [ID, { ...MAIL, habeas: { match: 'mailbox' } }] },
    ['email'],
  ],
  [
    'what tells nothing anyhow',
    { visits: [ID, field('user', { ...identity('user_id'), habeas: { resolves: false } })] },
    [],
  ],
])('%s', (_, collections, expected) => {
  expect(adds(collections)).toEqual(expected);
});
