import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { CollectionShape } from './collection-shape.ts';
import { FINDING_CODES, formatFinding } from './finding.ts';
import { lintDatasets } from './lint.ts';
import { parseDatasets } from './parse-datasets.ts';

function shape(
  name: string,
  options: Partial<CollectionShape> & { readonly columns: Readonly<Record<string, string>> },
): CollectionShape {
  const { columns, ...rest } = options;
  return {
    name,
    fields: Object.entries(columns).map(([column, type]) => ({
      name: column,
      type: type.replace('?', ''),
      nullable: type.endsWith('?'),
      generated: false,
    })),
    primaryKey: ['id'],
    uniqueKeys: [],
    references: [],
    rowEstimate: null,
    ...rest,
  };
}

const SHAPES = [
  shape('people', { columns: { id: 'integer', email: 'text', nickname: 'text?' } }),
  shape('orders', {
    columns: { id: 'integer', person: 'text?', shop: 'integer', number: 'integer' },
    references: [
      {
        name: 'orders_person',
        columns: ['person'],
        target: 'people',
        targetColumns: ['id'],
        onDelete: 'cascade',
      },
    ],
  }),
  shape('lines', {
    columns: { shop: 'integer', number: 'integer', text: 'text' },
    primaryKey: [],
    references: [
      {
        name: 'lines_order',
        columns: ['shop', 'number'],
        target: 'orders',
        targetColumns: ['shop', 'number'],
        onDelete: 'no action',
      },
    ],
  }),
  shape('logs', {
    columns: { id: 'integer', person: 'integer' },
    references: [
      {
        name: 'logs_person',
        columns: ['person'],
        target: 'people',
        targetColumns: ['id'],
        onDelete: 'set null',
      },
    ],
  }),
];

const TEXT = `dataset:
  - fides_key: shop
    collections:
      - name: people
        habeas: { on_erase: delete }
        fields:
          - { name: id, data_categories: [user.unique_id], fides_meta: { primary_key: true } }
          - { name: email, fides_meta: { identity: email } }
          - { name: mail, data_categories: [user.contact.emial] }
      - name: orders
        habeas: { on_erase: delete }
        fields:
          - { name: id, fides_meta: { primary_key: true } }
          - { name: shop }
          - { name: number, fides_meta: { primary_key: true } }
          - { name: person, fides_meta: { references: [{ dataset: shop, field: people.id, direction: from }] } }
          - { name: other, fides_meta: { references: [{ dataset: shop, field: peple.id, direction: from }] } }
      - name: lines
        fields:
          - { name: shop, fides_meta: { references: [{ dataset: shop, field: orders.shop, direction: from }] } }
          - { name: number, fides_meta: { references: [{ dataset: shop, field: orders.nummer, direction: from }] } }
          - { name: text, habeas: { mask: { strategy: hash } }, data_categories: [system.operations] }
      - name: friends
        fields:
          - { name: email, data_categories: [user.contact.email], fides_meta: { primary_key: true, identity: email } }
          - { name: of, fides_meta: { references: [{ dataset: shop, field: people.id, direction: from }] } }
          - { name: home, fides_meta: { references: [{ dataset: shop, field: homes.id, direction: to }, { dataset: crm, field: x.id }] } }
      - name: homes
        fields: [{ name: id, data_categories: [user.unique_id] }]
      - name: lost
        fields: [{ name: text, data_categories: [user.content] }]
`;

test('everything that is wrong with a dataset is told with its place, in the order of the file', () => {
  expect(lintDatasets(parseDatasets(TEXT, 'shop.yml'), { shapes: SHAPES }).map(formatFinding)).toEqual([
    expect.stringMatching(
      /^shop\.yml:1:\d+: info: The store has a table "logs" that no dataset names; requests never look at it\. \(table-not-named\)$/,
    ),
    'shop.yml:4:9: error: When a row of "people" is deleted, the store changes rows of "logs" by itself (logs_person, on delete set null). Name that reference in the dataset, so that these rows are counted and checked. (cascade-not-named)',
    'shop.yml:4:9: warning: The table "people" also has "nickname", which the dataset does not name: not exported, and not masked. (column-not-named)',
    'shop.yml:8:15: warning: "people.email" sounds like user.contact.email and has no data category, so it is neither masked nor reported. Give it one; `system.operations` if it is not personal. (category-missing)',
    'shop.yml:9:15: error: The column "mail" does not exist in the table "people". Did you mean "email"? (column-missing)',
    'shop.yml:9:45: error: "user.contact.emial" is not a data category of the taxonomy. Did you mean "user.contact.email"? (unknown-category)',
    'shop.yml:15:15: warning: "number" is not part of the primary key of "orders" (id); the store\'s own key is used. (primary-key-differs)',
    'shop.yml:16:56: warning: "people.id" is integer and "orders.person" is text; they are compared as text, and no index helps. (type-differs)',
    'shop.yml:16:56: info: "orders.person" may be empty. Rows without it belong to nobody that this reference can find; look whether they hold personal data. (orphans-possible)',
    'shop.yml:17:15: error: The column "other" does not exist in the table "orders". (column-missing)',
    'shop.yml:17:55: error: The reference "other" of "orders" leads to the collection "peple", which the dataset "shop" does not have. Did you mean "people"? (reference-to-nowhere)',
    'shop.yml:18:9: warning: The table "lines" has no key, so each step reads all of it. Add a primary key, or name columns that tell rows apart with `habeas: { key: […] }`. (primary-key-unknown)',
    'shop.yml:20:54: error: The foreign key "lines_order" has the columns shop, number together; followed one by one they find rows of others. Write it under `habeas: { references: […] }` of "lines". (composite-not-marked)',
    'shop.yml:21:56: error: The reference "number" of "lines" names the field "nummer", which "orders" does not have (Did you mean "number"?). (reference-to-unknown-field)',
    'shop.yml:22:15: info: The mask of "lines.text" is never used, because no category of it is under `user`. (unsupported-key)',
    'shop.yml:23:9: error: The table "friends" does not exist in the store, or is a view. (table-missing)',
    'shop.yml:25:15: warning: "friends.email" is personal and part of the key, which cannot be masked: a row that stays would keep it. Use `on_erase: delete`, or `keep` with a reason. (personal-key)',
    'shop.yml:26:52: warning: This reference leads from "people" to "friends", whose rows may be people of their own: they would be exported and erased with the person. Use `on_erase: detach` unless they are one person. (reaches-other-persons)',
    'shop.yml:27:54: warning: Several rows of "friends" can point at one row of "homes", and these may be of different people. Add `share: shared`, so that a row that somebody else still needs is left alone. (maybe-shared)',
    'shop.yml:27:105: warning: The reference "home_2" of "friends" leads to the dataset "crm", which is not part of this connection, and is not followed. Give the field an `identity` that the other system resolves. (reference-leaves-connection)',
    'shop.yml:28:9: error: The table "homes" does not exist in the store, or is a view. (table-missing)',
    'shop.yml:30:9: error: The table "lost" does not exist in the store, or is a view. (table-missing)',
    'shop.yml:30:9: warning: "lost" cannot be reached: it has no identity field and no reference leads to it. Add a reference or an identity; if it holds nothing personal, give it `data_categories: [system.operations]`. (unreachable)',
  ]);
});

test('a dataset by which nobody can be found is an error', () => {
  const findings = lintDatasets(
    parseDatasets('dataset: [{ fides_key: a, collections: [{ name: t, fields: [{ name: x }] }] }]', 'a.yml'),
  );
  expect(findings.map(({ code }) => code)).toEqual(['no-identity']);
});

test('where data ends by itself nobody has to be found', () => {
  const source =
    'dataset: [{ fides_key: a, collections: [{ name: t, habeas: { lifetime: { max_age: 1h } }, fields: [{ name: email, data_categories: [user.contact.email] }] }] }]';
  expect(lintDatasets(parseDatasets(source, 'a.yml'))).toEqual([]);
  const findings = lintDatasets(parseDatasets(source.replace('lifetime: { max_age: 1h }', ''), 'a.yml'));
  expect(findings.map(({ code }) => code)).toEqual(['no-identity']);
});

test('docs/datasets.md lists exactly the codes of findings', () => {
  const page = readFileSync(new URL('../../../../docs/datasets.md', import.meta.url), 'utf8');
  const section = page.slice(page.indexOf('| code | what it means |'), page.indexOf('## Limits'));
  const listed = [...section.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, code]) => code);
  expect(listed.toSorted()).toEqual([...FINDING_CODES].toSorted());
});
