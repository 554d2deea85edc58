import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { draftDataset } from '../src/catalog/index.ts';
import type { Connector } from '../src/connectors/index.ts';
import { arrayOf, collect, erase, located, sum } from './connector-contract.ts';

/** The shop database chinook on one kind of store, as another program sees it. */
export interface ChinookStore {
  /** Opens it with this dataset. */
  readonly open: (dataset: string) => Connector;
  /** Rows as arrays. */
  readonly rows: (text: string) => Promise<readonly (readonly unknown[])[]>;
  readonly remove: () => Promise<void>;
}

const TABLES = [
  'Album',
  'Artist',
  'Customer',
  'Employee',
  'Genre',
  'Invoice',
  'InvoiceLine',
  'MediaType',
  'Playlist',
  'PlaylistTrack',
  'Track',
] as const;
type Table = (typeof TABLES)[number];
type Row = readonly unknown[];
/** Each table's rows. */
type Everything = Readonly<Record<Table, readonly Row[]>>;

/**
 * Erases every customer and every employee of chinook, and holds what is left against what somebody would leave who knows the schema by
 * heart and takes rows out of lists in memory. `make` fills an empty store; undefined: what is needed for it is not here.
 */
export function testChinook(kind: string, make: (() => Promise<ChinookStore>) | undefined): void {
  describe.skipIf(make === undefined)(`chinook on ${kind}`, () => {
    let store: ChinookStore;
    let connector: Connector;

    beforeAll(async () => {
      store = await (make ?? notHere)();
      const discovery = store.open('dataset: [{ fides_key: none, collections: [] }]');
      const shapes = await arrayOf(discovery.discover?.(new AbortController().signal) ?? []);
      await discovery.close();
      expect(shapes.map(({ name }) => name.toLowerCase()).toSorted()).toEqual(
        TABLES.map((name) => name.toLowerCase()).toSorted(),
      );
      // What a person who knows the shop changes in the draft: people and what is theirs alone are deleted.
      connector = store.open(
        draftDataset(shapes, { key: 'chinook' }).replaceAll('on_erase: mask', 'on_erase: delete'),
      );
    }, 120_000);

    afterAll(async () => {
      await connector?.close();
      await store?.remove();
    });

    test('each of the 59 customers gets their rows, loses exactly these, and nobody loses anything else', async () => {
      expect(await connector.check()).toMatchObject({ ok: true, problems: [] });
      let before = await everything();
      expect(before.Customer).toHaveLength(59);
      for (const customer of before.Customer) {
        const [id, email] = [customer[0], customer[11]];
        const invoices = new Set(before.Invoice.filter((row) => row[1] === id).map(([invoice]) => invoice));
        const expected: Everything = {
          ...before,
          Customer: before.Customer.filter((row) => row[0] !== id),
          Invoice: before.Invoice.filter((row) => row[1] !== id),
          InvoiceLine: before.InvoiceLine.filter((row) => !invoices.has(row[1])),
        };
        const want = Object.fromEntries(
          TABLES.map((table) => [table, before[table].length - expected[table].length] as const).filter(
            ([, count]) => count > 0,
          ),
        );
        const identities = [{ type: 'email', value: `${email}` }];
        const { evidence } = await collect({ connector }, identities);
        expect(evidence.counts, `customer ${id}: collected`).toEqual(want);
        const scope = await located({ connector }, identities);
        expect((await erase({ connector }, scope)).counts, `customer ${id}: erased`).toEqual(want);
        const after = await everything();
        expect(after, `customer ${id}: left`).toEqual(expected);
        expect(sum((await connector.verify(scope)).remaining), `customer ${id}: verified`).toBe(0);
        before = after;
      }
      expect([before.Invoice, before.InvoiceLine]).toEqual([[], []]);
    }, 120_000);

    test('each employee is erased alone: reports only lose the reference', async () => {
      let before = await everything();
      expect(before.Employee).toHaveLength(8);
      for (const { 0: id, 14: email } of before.Employee) {
        const expected: Everything = {
          ...before,
          Employee: before.Employee.filter((row) => row[0] !== id).map((row) =>
            row.map((value, column) => (column === 4 && value === id ? null : value)),
          ),
        };
        const scope = await located({ connector }, [{ type: 'email', value: `${email}` }]);
        await erase({ connector }, scope);
        before = await everything();
        expect(before, `employee ${id}`).toEqual(expected);
        expect(sum((await connector.verify(scope)).remaining), `employee ${id}: verified`).toBe(0);
      }
      expect(before.Employee).toEqual([]);
    }, 120_000);

    async function everything(): Promise<Everything> {
      const all: Partial<Record<Table, readonly Row[]>> = {};
      for (const table of TABLES) all[table] = await store.rows(`select * from "${table}" order by 1, 2`);
      return all as Everything;
    }
  });
}

function notHere(): never {
  throw new Error('These tests are skipped.');
}
