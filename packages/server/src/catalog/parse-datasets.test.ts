import { expect, test } from 'vitest';
import { HabeasError } from '../foundation/index.ts';
import { buildDatasetGraph } from './dataset-graph.ts';
import { formatFinding } from './finding.ts';
import { parseDatasets } from './parse-datasets.ts';

/** As Fides users write it: old and new names of the metadata, keys without a value, all kinds of hints. */
const FIDES = `dataset:
  - fides_key: crm
    organization_fides_key: default_organization
    name: CRM
    description:
    meta: null
    data_categories: null
    fides_meta:
      resource_id: crm.prod
      namespace: { schema: sales }
    collections:
      - name: person
        description: People
        fides_meta:
          after: [crm.region]
          erase_after: [crm.visit]
          skip_processing: false
        fields:
          - name: id
            data_categories: [user.unique_id]
            fidesops_meta:
              primary_key: True
              data_type: integer
          - name: mail
            data_categories: [user.contact.email]
            fides_meta:
              identity: email
              data_type: string
              length: 200
              masking_strategy_override: { strategy: string_rewrite, configuration: { rewrite_value: MASKED } }
          - name: tags
            fides_meta: { data_type: "string[]", return_all_elements: true, read_only: true }
          - name: home
            fides_meta: { data_type: object }
            fields:
              - name: city
                data_categories: [user.contact.address.city]
      - name: visit
        data_categories: [user.behavior]
        fides_meta:
          masking_strategy_override: { strategy: delete }
        fields:
          - name: person_id
            fidesops_meta:
              references:
                - { dataset: crm, field: person.id, direction: from }
          - name: page
      - name: region
        fides_meta: { skip_processing: true }
        fields: [{ name: id, data_categories: [system.operations] }]
`;

test('a dataset of Fides is read as it is, without a finding', () => {
  const [dataset] = parseDatasets(FIDES, 'crm.yml');
  expect(dataset?.findings).toEqual([]);
  const [person, visit, region] = dataset?.collections ?? [];
  expect(person).toMatchObject({
    name: 'person',
    table: 'sales.person',
    onErase: { kind: 'mask' },
    eraseAfter: ['crm.visit'],
  });
  expect(person?.fields.map(({ name }) => name)).toEqual(['id', 'mail', 'tags', 'home', 'home.city']);
  expect(person?.fields[1]).toMatchObject({
    identity: { type: 'email', match: 'case-insensitive', resolves: true },
    length: 200,
    mask: { strategy: 'fixed', value: 'MASKED' },
  });
  expect(person?.fields[2]).toMatchObject({ readOnly: true, dataType: 'string[]' });
  expect(visit?.onErase).toEqual({ kind: 'delete' });
  expect(visit?.fields.map(({ categories }) => categories)).toEqual([['user.behavior'], ['user.behavior']]);
  expect(visit?.references).toMatchObject([
    { columns: ['person_id'], target: 'person', targetColumns: ['id'], direction: 'from' },
  ]);
  expect(region?.skip).toBe(true);
});

test('keys that nobody knows are warnings, categories that the taxonomy lacks are errors, each with its place', () => {
  const text = FIDES.replace('description: People', 'descripton: People')
    .replace('user.contact.email', 'user.contact.mail')
    .replace('strategy: string_rewrite', 'strategy: rot13');
  expect(parseDatasets(text, 'crm.yml').flatMap(({ findings }) => findings.map(formatFinding))).toEqual([
    'crm.yml:13:9: warning: The key "descripton" is not known here and is ignored. Did you mean "description"? (unknown-key)',
    'crm.yml:25:31: error: "user.contact.mail" is not a data category of the taxonomy. Did you mean "user.contact.email"? (unknown-category)',
    'crm.yml:30:15: warning: Habeas has no masking strategy "rot13"; the value is emptied instead. (unknown-strategy)',
  ]);
});

test('what erasure means can be said for a collection, a field and a reference', () => {
  const [dataset] = parseDatasets(
    `dataset:
  - fides_key: shop
    collections:
      - name: orders
        habeas:
          on_erase: { anonymize: { strategy: hash } }
          key: [tenant, number]
          references:
            - name: line_of
              columns: [tenant, number]
              target: lines
              target_columns: [tenant, order]
              direction: to
              on_erase: { mask: { strategy: random-email } }
              share: shared
              fields: [note]
        fields:
          - name: tenant
            fides_meta: { references: [{ dataset: shop, field: lines.tenant, direction: to }] }
          - name: number
          - name: buyer
            fides_meta: { references: [{ dataset: shop, field: people.id, direction: from }] }
            habeas:
              on_erase: { keep: { reason: Tax law, legal_basis: Section 147 AO, until: { column: at, after: 10y }, detach: true } }
          - name: vat
            habeas: { keep: { reason: Audit, until: 2031-12-31 }, mask: { strategy: fixed, value: 0 } }
          - name: contact
            fides_meta: { identity: email }
            habeas: { match: exact, resolves: false }`,
    'shop.yml',
  );
  const [orders] = dataset?.collections ?? [];
  expect(orders?.onErase).toEqual({ kind: 'anonymize', mask: { strategy: 'hash' } });
  expect(orders?.key).toEqual(['tenant', 'number']);
  expect(orders?.references.map(({ path: _, ...reference }) => reference)).toEqual([
    {
      name: 'line_of',
      columns: ['tenant', 'number'],
      dataset: 'shop',
      target: 'lines',
      targetColumns: ['tenant', 'order'],
      direction: 'to',
      onErase: { kind: 'mask', mask: { strategy: 'random-email' } },
      share: 'shared',
      fields: ['note'],
    },
    {
      name: 'buyer',
      columns: ['buyer'],
      dataset: 'shop',
      target: 'people',
      targetColumns: ['id'],
      direction: 'from',
      onErase: {
        kind: 'keep',
        keep: {
          reason: 'Tax law',
          legalBasis: 'Section 147 AO',
          until: { column: 'at', after: { count: 10, unit: 'year' } },
          detach: true,
        },
      },
      share: 'owned',
      fields: [],
    },
  ]);
  expect(orders?.fields[3]).toMatchObject({
    keep: { reason: 'Audit', legalBasis: null, until: { date: '2031-12-31' } },
    mask: { strategy: 'fixed', value: '0' },
  });
  expect(orders?.fields[4]?.identity).toEqual({ type: 'email', match: 'exact', resolves: false });
});

test.each([
  [
    'dataset: [{ fides_key: a, collections: [{ name: t, fields: [{ name: x, habeas: { on_ease: delete } }] }] }]',
    'on_ease',
    1,
    72,
  ],
  [
    'dataset: [{ fides_key: a, collections: [{ name: t, habeas: { on_erase: shred }, fields: [] }] }]',
    'on_erase',
    1,
    62,
  ],
  [
    'dataset:\n  - fides_key: a\n    collections:\n      - name: t\n        fields:\n          - name: x\n          - name: x',
    'twice',
    7,
    13,
  ],
  ['dataset:\n  - fides_key: a\n    collections:\n      - fields: []', 'name', 4, 9],
  ['dataset: [', 'not valid YAML', 1, 11],
  ['', 'dataset', undefined, undefined],
  [
    'dataset: [{ fides_key: a, collections: [{ name: t, habeas: { references: [{ name: r, columns: [a, b], target: u, target_columns: [c] }] }, fields: [] }] }]',
    'go together in pairs',
    1,
    75,
  ],
] as const)('a file that cannot be understood is refused with its place: %s', (text, words, line, column) => {
  const read = () => parseDatasets(text, 'bad.yml');
  expect(read).toThrow(words);
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(HabeasError);
    expect(error).toMatchObject({
      code: 'DATASET_INVALID',
      place: { file: 'bad.yml', ...(line === undefined ? {} : { line, column }) },
    });
  }
});

test('two datasets of one connection cannot name the same collection', () => {
  const text =
    'dataset: [{ fides_key: a, collections: [{ name: t, fields: [] }] }, { fides_key: b, collections: [{ name: t, fields: [] }] }]';
  expect(() => buildDatasetGraph(parseDatasets(text, 'two.yml'))).toThrow(
    'The datasets a and b both name the collection "t"',
  );
});

test('a reference may name a field inside an object, and a collection with a dot in its name', () => {
  const text = `dataset:
  - fides_key: a
    collections:
      - name: s.people
        fields: [{ name: home, fields: [{ name: id }] }]
      - name: notes
        fields:
          - { name: x, fides_meta: { references: [{ dataset: a, field: s.people.home.id, direction: from }] } }`;
  const graph = buildDatasetGraph(parseDatasets(text, 'dots.yml'));
  expect(graph.findings).toEqual([]);
  expect(graph.nodes.get('notes')?.incoming).toMatchObject([{ from: 's.people', fromColumns: ['home.id'] }]);
});
