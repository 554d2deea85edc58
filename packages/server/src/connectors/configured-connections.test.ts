import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseConfig, systemClock } from '../foundation/index.ts';
import { configureConnections } from './configured-connections.ts';
import type { ConnectionKind } from './connection-kind.ts';
import { createPostgresConnector } from './index.ts';
import { createMemcachedConnector } from './lifetimes/index.ts';

const DATASET = `dataset:
  - fides_key: shop
    collections:
      - name: customers
        fields:
          - name: id
            fides_meta: { primary_key: true }
          - name: email
            data_categories: [user.contact.email]
            fides_meta: { identity: email }
      - name: orders
        fields:
          - name: customer_id
            fides_meta:
              references: [{ dataset: shop, field: customers.id, direction: from }]
`;

function configure(
  dataset: string,
  kind = 'postgres',
  url = 'postgres://nowhere/shop',
  more: Readonly<Record<string, ConnectionKind>> = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-datasets-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'shop.yml'), dataset);
  const config = parseConfig({
    text: `connections: [{ key: shop, kind: ${kind}, team: shop, url: "${url}", datasets: [shop.yml] }]`,
    file: join(folder, 'habeas.yaml'),
    environment: {},
  });
  return configureConnections({
    config,
    keepRules: [],
    kinds: { postgres: createPostgresConnector, memcached: createMemcachedConnector, ...more },
    clock: systemClock,
  });
}

test('a connection finds people by the identities of its datasets', () => {
  expect(configure(DATASET)).toMatchObject([{ needs: ['email'], resolves: ['email'], repeats: ['email'] }]);
});

test('a connection only repeats addresses of rows that nothing else leads to, and a connector of the reader’s own says itself what it tells', () => {
  const numbered = DATASET.replace(
    'fides_meta: { primary_key: true }',
    'fides_meta: { primary_key: true, identity: user_id }',
  );
  const both = ['email', 'user_id'];
  expect(configure(numbered)).toMatchObject([{ needs: both, resolves: both, repeats: [] }]);
  const own: ConnectionKind = (settings) => {
    const { tellsByDatasets: _, ...connector } = createPostgresConnector(settings);
    return connector;
  };
  expect(configure(DATASET, 'own', 'own://nowhere', { own })).toMatchObject([
    { resolves: ['email'], repeats: [] },
  ]);
});

test.each([
  ['customerz.id', 'leads to the collection "customerz"'],
  ['customers.number', 'names'],
])('a reference to %s, which no dataset has, is refused with file and line', (field, message) => {
  expect(() => configure(DATASET.replace('customers.id', field))).toThrow(
    expect.objectContaining({
      code: 'DATASET_INVALID',
      message: expect.stringMatching(new RegExp(`^shop\\.yml:15:\\d+: .*${message}`)),
    }),
  );
});

const LIFETIME = `dataset:
  - fides_key: cache
    collections:
      - name: sessions
        habeas: { lifetime: { max_age: 24h } }
        fields: [{ name: email, data_categories: [user.contact.email] }]
`;

test('what ends by itself needs no identity, and is no gap', () => {
  const [connection] = configure(LIFETIME, 'memcached', 'memcached://nowhere');
  expect(connection).toMatchObject({ needs: [], resolves: [] });
  expect(connection?.coverage(new Set())).toMatchObject({ collections: [], unreachable: [] });
});

test('a lifetime where people can be found is refused with file and line', () => {
  expect(() => configure(LIFETIME)).toThrow(
    expect.objectContaining({
      code: 'DATASET_INVALID',
      message: expect.stringMatching(/"sessions" of shop has a `lifetime`.*postgres/),
      place: expect.objectContaining({ line: 4 }),
    }),
  );
});
