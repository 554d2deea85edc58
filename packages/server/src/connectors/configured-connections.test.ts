import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseConfig, systemClock } from '../foundation/index.ts';
import { configureConnections } from './configured-connections.ts';
import { createPostgresConnector } from './index.ts';

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

function configure(dataset: string) {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-datasets-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'shop.yml'), dataset);
  const config = parseConfig({
    text: 'connections: [{ key: shop, kind: postgres, team: shop, url: "postgres://nowhere/shop", datasets: [shop.yml] }]',
    file: join(folder, 'habeas.yaml'),
    environment: {},
  });
  return configureConnections({
    config,
    keepRules: [],
    kinds: { postgres: createPostgresConnector },
    clock: systemClock,
  });
}

test('a connection finds people by the identities of its datasets', () => {
  expect(configure(DATASET)).toMatchObject([{ needs: ['email'], resolves: ['email'] }]);
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
