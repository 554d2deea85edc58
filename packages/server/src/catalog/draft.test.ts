import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { requireData } from '../../test/requirements.ts';
import type { CollectionShape } from './collection-shape.ts';
import { guessField } from './column-guess.ts';
import { isWithinCategory } from './data-categories.ts';
import { draftDataset } from './draft.ts';
import { lintDatasets } from './lint.ts';
import { parseDatasets } from './parse-datasets.ts';

const names = fc.constantFrom(
  'email',
  'name',
  'true',
  'null',
  'a b',
  'x: y',
  '# no',
  "o'k",
  '"q"',
  'ünï',
  '1',
  'customer_id',
  'note',
  'phone',
  'Street',
);

const randomShapes: fc.Arbitrary<readonly CollectionShape[]> = fc
  .array(
    fc.record({
      columns: fc.uniqueArray(names, { minLength: 1, maxLength: 6 }),
      key: fc.nat(2),
      nullable: fc.boolean(),
      references: fc.array(fc.record({ target: fc.nat(), width: fc.integer({ min: 1, max: 2 }) }), {
        maxLength: 3,
      }),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((drafts) =>
    drafts.map((draft, index): CollectionShape => {
      const references = draft.references.map((reference, number) => ({
        ...reference,
        number,
        target: reference.target % drafts.length,
      }));
      const own = references.flatMap(({ number, width }) =>
        Array.from({ length: width }, (_, part) => `ref${number}_${part}`),
      );
      return {
        name: ['people', 'Order', 'crm.users', 'a"b', 'yes'][index] ?? `t${index}`,
        fields: [...draft.columns, 'k1', 'k2', ...own].map((name) => ({
          name,
          type: own.includes(name) || name.startsWith('k') ? 'integer' : 'character varying(40)',
          nullable: draft.nullable && own.includes(name),
          generated: false,
        })),
        primaryKey: ['k1', 'k2'].slice(0, draft.key),
        uniqueKeys: [['k1', 'k2']],
        references: references.map(({ number, width, target }) => ({
          name: `fk "${number}"`,
          columns: Array.from({ length: width }, (_, part) => `ref${number}_${part}`),
          target: ['people', 'Order', 'crm.users', 'a"b', 'yes'][target] ?? `t${target}`,
          targetColumns: ['k1', 'k2'].slice(0, width),
          onDelete: 'no action',
        })),
        rowEstimate: null,
      };
    }),
  );

test('a draft of any schema is a dataset that names all of it, fits it and deletes nothing', () => {
  fc.assert(
    fc.property(randomShapes, (shapes) => {
      const [dataset] = parseDatasets(draftDataset(shapes, { key: 'a: "b"', name: 'true' }), 'draft.yml');
      expect(dataset?.key).toBe('a: "b"');
      expect(dataset?.findings).toEqual([]);
      const drafted = dataset?.collections ?? [];
      expect(
        Object.fromEntries(drafted.map(({ name, fields }) => [name, fields.map((field) => field.name)])),
      ).toEqual(
        Object.fromEntries(shapes.map(({ name, fields }) => [name, fields.map((field) => field.name)])),
      );
      const wishes = drafted.flatMap((collection) => [
        collection.onErase,
        ...collection.references.map(({ onErase }) => onErase),
      ]);
      expect(wishes.every((wish) => wish?.kind === 'mask' || wish?.kind === 'detach')).toBe(true);
      const errors = lintDatasets(dataset === undefined ? [] : [dataset], { shapes }).filter(
        ({ severity, code }) => severity === 'error' && code !== 'no-identity',
      );
      expect(errors).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

const LABELLED = requireData('pii/sample-db-columns/columns.jsonl');

test.skipIf(LABELLED === undefined)(
  'names of columns that are surely personal are guessed, and names that surely are not are left',
  () => {
    interface Labelled {
      readonly table: string;
      readonly column: string;
      readonly tier: string;
      readonly fideslang: string | null;
    }
    const columns: readonly Labelled[] = readFileSync(LABELLED ?? '', 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const direct = columns.filter(({ tier }) => tier === 'direct');
    const found = direct.filter(({ table, column }) => guessField(table, column) !== undefined);
    const right = found.filter(({ table, column, fideslang }) => {
      const guess = guessField(table, column)?.category ?? '';
      return fideslang === null || isWithinCategory(guess, fideslang) || isWithinCategory(fideslang, guess);
    });
    const negative = columns.filter(({ tier }) => tier === 'negative');
    const wrong = negative.filter(({ table, column }) => guessField(table, column) !== undefined);
    expect(found.length / direct.length).toBeGreaterThanOrEqual(0.9);
    expect(right.length / found.length).toBeGreaterThanOrEqual(0.9);
    expect(wrong.length / negative.length).toBeLessThanOrEqual(0.05);
  },
);
