import type { api } from '@habeas/contract';
import { describe, expect, it } from 'vitest';
import { EMPTY_MAP } from '../../test/empty-map.ts';
import { createCatalog } from './create-catalog.ts';
import { parseDatasets } from './parse-datasets.ts';

const DATASETS = parseDatasets(
  `dataset:
  - fides_key: shop
    collections:
      - name: customers
        fields:
          - name: id
            data_categories: [user.unique_id]
            fides_meta: {primary_key: true}
          - name: email
            data_categories: [user.contact.email]
            fides_meta: {identity: email}
          - name: colour
`,
  'shop.yml',
);

const store = (service: string, dataType: string, category: string | null, more = {}): api.StoreView => ({
  service,
  data_type: dataType,
  category,
  team: service === 'orders' ? 'shop' : 'data',
  source: 'page',
  evidence: 'observed',
  purpose: null,
  subject: null,
  retention: null,
  region: null,
  first_seen: '2026-03-01T00:00:00.000Z',
  last_seen: '2026-03-02T00:00:00.000Z',
  ...more,
});

const STORES = [
  store('orders', 'mail', 'user.contact', { purpose: 'billing', retention: '30d' }),
  store('orders', 'mail', 'user.contact', { purpose: 'support', last_seen: '2026-03-03T00:00:00.000Z' }),
  store('orders', 'ip', 'user.device.ip_address'),
  store('lake', 'mystery', null),
];

const catalog = createCatalog({
  systems: [{ key: 'shop_db', kind: 'postgres', service: 'orders', team: 'shop', datasets: DATASETS }],
  map: { map: async () => ({ ...EMPTY_MAP, stores: STORES }) },
});

const list = (query: Parameters<typeof catalog.list>[0], teams: readonly string[] | null = null) =>
  catalog.list(query, teams);
const names = ({ items }: api.CatalogPage) =>
  items.map(({ system, field, data_types: types }) => [system, field ?? types[0]]);

describe('the catalog', () => {
  it('has every field with what its service says of such data, and data types that no field is', async () => {
    const page = await list({ limit: 100 });
    expect(names(page)).toEqual([
      ['lake', 'mystery'],
      ['shop_db', 'ip'],
      ['shop_db', 'colour'],
      ['shop_db', 'email'],
      ['shop_db', 'id'],
    ]);
    expect(page.items[3]).toEqual({
      id: '["shop_db","shop","customers","email"]',
      kind: 'field',
      system: 'shop_db',
      connection_kind: 'postgres',
      service: 'orders',
      team: 'shop',
      dataset: 'shop',
      collection: 'customers',
      field: 'email',
      data_types: ['mail'],
      categories: ['user.contact.email'],
      identity: 'email',
      source: 'provided',
      purposes: ['billing', 'support'],
      retention: ['30d'],
      last_seen: '2026-03-03T00:00:00.000Z',
    });
    expect(page.items[0]).toMatchObject({ kind: 'store', connection_kind: null, categories: [] });
    expect(page.choices.teams).toEqual(['data', 'shop']);
  });

  it.each([
    [{ team: 'data' }, 1],
    [{ system: 'shop_db' }, 4],
    [{ service: 'orders' }, 4],
    [{ data_type: 'mail' }, 1],
    [{ category: 'user.contact' }, 1],
    [{ category: 'user.cont' }, 0],
    [{ team: 'data', category: 'user' }, 0],
  ])('is filtered by %o', async (filter, count) => {
    const page = await list({ ...filter, limit: 100 });
    expect([page.items.length, page.total]).toEqual([count, count]);
    expect(page.choices.teams).toEqual(['data', 'shop']);
  });

  it('comes page by page, each entry once', async () => {
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await list({ limit: 2, cursor });
      expect(page.total).toBe(5);
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    expect(ids).toEqual((await list({ limit: 100 })).items.map(({ id }) => id));
  });

  it('of a caller that has teams is what these own, also in what there is to filter by', async () => {
    const page = await list({ limit: 100 }, ['data']);
    expect(names(page)).toEqual([['lake', 'mystery']]);
    expect(page.choices).toMatchObject({ teams: ['data'], systems: ['lake'] });
    expect((await list({ limit: 100, team: 'shop' }, ['data'])).items).toEqual([]);
  });
});
