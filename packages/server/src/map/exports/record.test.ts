import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { documentOf, mapOf, randomMap } from '../../../test/random-map.ts';
import { elementsOf, readXml } from '../../../test/read-xml.ts';
import { readZip } from '../../../test/read-zip.ts';
import { CONDITIONS, LEGAL_BASES } from './legal-words.ts';
import { lintRecord } from './lint-record.ts';
import { recordCsvOf } from './record-csv.ts';
import { parseRecord } from './record-file.ts';
import { recordTable } from './record-table.ts';
import { recordXlsxOf } from './record-xlsx.ts';
import { sheetNames } from './xlsx.ts';

const page = readFileSync(new URL('../../../../../docs/record-of-processing.md', import.meta.url), 'utf8');
const example = /<!-- yaml: record -->\n```yaml\n(.*?)^```/ms.exec(page)?.[1] ?? '';
const record = parseRecord(example, 'record.yaml');

const map = mapOf({
  services: [
    { name: 'orders' },
    { name: 'mailer', team: 'growth' },
    { name: 'health', team: 'people' },
    { name: 'analytics', team: 'data' },
    { name: 'vendor', team: null, external: true },
  ],
  stores: [
    { service: 'orders', data_type: 'email', category: 'user.contact.email', retention: '5y' },
    { service: 'health', data_type: 'diagnosis', category: 'user.health_and_medical' },
    { service: 'analytics', data_type: 'clicks', purpose: 'statistics' },
    { service: 'analytics', data_type: 'ip', category: 'user.device.ip_address' },
  ],
  flows: [
    { from: 'mailer', to: 'vendor', data_type: 'email', category: 'user.contact.email', external: true },
  ],
});

const table = recordTable(map, record, 'controller');
const answer = (name: string, label: string, from = table) =>
  from.entries.find((entry) => entry.name === name)?.fields.find((field) => field.label === label);

describe('the record of a controller', () => {
  it('has an activity for each of the file, for each declared purpose, and for what is left', () => {
    expect(table.entries.map(({ name, holdings }) => [name, holdings.map((held) => held.data_type)])).toEqual(
      [
        ['Orders', ['email']],
        ['Newsletter', ['email']],
        ['Occupational health', ['diagnosis']],
        ['Declared purpose: statistics', ['clicks']],
        ['Not assigned to an activity', ['ip']],
      ],
    );
  });

  it('leaves out nothing of the map, and puts nothing in that is not there', () => {
    fc.assert(
      fc.property(randomMap, (random) => {
        const { entries } = recordTable(random, record, 'controller');
        const keyOf = (held: { service: string; to: string | null; data_type: string }) =>
          JSON.stringify([held.service, held.to, held.data_type]);
        const want = [
          ...random.stores.map((store) => ({ ...store, to: null })),
          ...random.flows.map((flow) => ({ ...flow, service: flow.from })),
        ];
        expect(new Set(entries.flatMap(({ holdings }) => holdings.map(keyOf)))).toEqual(
          new Set(want.map(keyOf)),
        );
      }),
    );
  });

  it('takes from the map what it knows', () => {
    expect(answer('Newsletter', 'Recipients')?.values).toEqual([
      'mail provider',
      'vendor (outside the organization)',
    ]);
    expect(answer('Orders', 'Time limits for erasure')?.values).toContain('email in orders: 5y (declared)');
    expect(answer('Occupational health', 'Sensitive data')?.values).toEqual([
      'user.health_and_medical (article 9)',
    ]);
    expect(answer('Occupational health', 'Condition for special categories')?.values).toEqual([
      'employment and social protection, Article 9(2)(b)',
    ]);
  });

  it('marks what is missing, and says what to write', () => {
    const none = recordTable(map, undefined, 'controller');
    const entry = none.entries.find(({ name }) => name === 'Not assigned to an activity');
    const missing = entry?.fields.filter((field) => field.missing !== undefined).map(({ label }) => label);
    expect(missing).toEqual([
      'Purposes',
      'Legal basis',
      'Condition for special categories',
      'Categories of data subjects',
      'Transfers to third countries and safeguards',
      'Technical and organizational measures',
    ]);
    expect(answer('Not assigned to an activity', 'Purposes', none)?.missing).toBe(
      'add an activity that covers this data to record.yaml',
    );
    expect(none.organization.filter((field) => field.missing !== undefined)).toHaveLength(3);
    expect(answer('Orders', 'Services that the map does not have')).toMatchObject({
      values: ['warehouse'],
      missing: expect.stringContaining('correct `services`'),
    });
  });

  it('marks a data type without a category, a bare transfer and a hidden interest', () => {
    const bare = parseRecord(
      'activities: [{ name: A, services: [analytics], legal_basis: legitimate-interests, transfers: [{ to: X, country: US }] }]',
      'record.yaml',
    );
    const found = recordTable(map, bare, 'controller');
    expect(answer('A', 'Data types without a category', found)?.missing).toContain('data_types');
    expect(answer('A', 'Legitimate interest', found)?.missing).toContain('write the `interest`');
    expect(answer('A', 'Transfers to third countries and safeguards', found)?.missing).toContain('X');
  });
});

describe('the record of a processor', () => {
  it('has an entry for each controller', () => {
    const processor = recordTable(map, record, 'processor');
    expect(processor.title).toContain('Article 30(2)');
    expect(processor.entries.map(({ name, holdings }) => [name, holdings.length])).toEqual([
      ['For Other Shop AG', 1],
    ]);
    expect(
      processor.entries[0]?.fields.find(({ label }) => label === 'Categories of processing')?.values,
    ).toEqual(['hosting', 'support']);
  });
});

describe('record.yaml', () => {
  it('names every basis and condition in its documentation', () => {
    for (const word of [...LEGAL_BASES, ...CONDITIONS]) expect(page).toContain(`\`${word}\``);
  });

  it('is refused with the line of each mistake', () => {
    const wrong = 'activities:\n  - name: A\n    legal_basis: because\n  - nam: B\n';
    expect(() => parseRecord(wrong, 'record.yaml')).toThrow(/record\.yaml:3:5: activities\.0\.legal_basis/);
    expect(() => parseRecord(wrong, 'record.yaml')).toThrow(/record\.yaml:4:5/);
  });

  it('is told of where it is likely wrong, with the line', () => {
    expect(lintRecord(example, 'record.yaml')).toEqual([]);
    const doubtful = `activities:
  - name: A
    legal_basis: legitimate-interests
  - name: A
    services: [x]
    interest: ours
    transfers:
      - { to: X, country: US }
`;
    expect(
      lintRecord(doubtful, 'r.yaml').map(({ place, message }) => [place.line, message.split(/[.(]/)[0]]),
    ).toEqual([
      [2, 'This activity covers nothing of the map'],
      [3, 'Name the `interest` '],
      [4, 'Two activities have the name "A"'],
      [6, 'An `interest` goes with the legal basis `legitimate-interests` only'],
      [8, 'Name the `safeguard` of this transfer '],
    ]);
  });
});

describe('as CSV', () => {
  it('has a line with the answers of each activity, and one for each store and flow', () => {
    const lines = [...recordCsvOf(documentOf(map).stamp, table)];
    const of = (kind: string) => lines.filter((line) => line.startsWith(`${kind},`));
    expect([of('activity').length, of('data').length]).toEqual([5, 5]);
    expect(of('activity')[0]).toMatch(/^activity,Orders,.*contract, Article 6\(1\)\(b\)/);
    expect(of('data')[0]).toMatch(/^data,Orders,.*,orders,shop,,email,user\.contact\.email,/);
    expect(of('activity').at(-1)).toContain('MISSING: add an activity');
    expect(new Set(lines.map((line) => line.replaceAll(/"[^"]*"/g, '').split(',').length)).size).toBe(1);
  });
});

/** Sheets of a workbook by name: rows of texts. Reads the parts as another program would, by their relations. */
async function readWorkbook(
  parts: AsyncIterable<Buffer>,
): Promise<ReadonlyMap<string, readonly (readonly string[])[]>> {
  const files = readZip(Buffer.concat(await Array.fromAsync(parts)));
  const xml = (name: string) => readXml(files.get(name)?.toString('utf8') ?? '');
  for (const name of files.keys()) xml(name);
  const targets = new Map(
    elementsOf(xml('xl/_rels/workbook.xml.rels'), 'Relationship').map(({ attributes }) => [
      attributes.Id,
      attributes.Target,
    ]),
  );
  return new Map(
    elementsOf(xml('xl/workbook.xml'), 'sheet').map(({ attributes }) => [
      attributes.name ?? '',
      elementsOf(xml(`xl/${targets.get(attributes['r:id'])}`), 'row').map((row) =>
        row.children.map((cell) => cell.text),
      ),
    ]),
  );
}

describe('as XLSX', () => {
  it('has a sheet with the list, and one for each activity', async () => {
    const sheets = await readWorkbook(recordXlsxOf(documentOf(map).stamp, table));
    expect([...sheets.keys()]).toEqual([
      'Record',
      'Orders',
      'Newsletter',
      'Occupational health',
      'Declared purpose  statistics',
      'Not assigned to an activity',
    ]);
    expect(sheets.get('Record')?.flat()).toContain(
      `SHA-256 of the JSON form: ${documentOf(map).stamp.sha256}`,
    );
    expect(sheets.get('Orders')).toContainEqual(['Legal basis', 'Art. 6(1)', 'contract, Article 6(1)(b)']);
    expect(sheets.get('Orders')?.at(-1)?.slice(0, 3)).toEqual(['orders', 'shop', 'email']);
  });

  it('is well formed and the same to the byte, whatever the names are', async () => {
    await fc.assert(
      fc.asyncProperty(randomMap, async (random) => {
        const write = () =>
          recordXlsxOf(documentOf(random).stamp, recordTable(random, undefined, 'controller'));
        const sheets = await readWorkbook(write());
        expect(sheets.size).toBe(recordTable(random, undefined, 'controller').entries.length + 1);
        const [one, other] = [await Array.fromAsync(write()), await Array.fromAsync(write())];
        expect(Buffer.concat(one).equals(Buffer.concat(other))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('gives sheets names that Excel takes, each once', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string({ unit: 'binary' }),
            fc.constantFrom('History', "'a'", 'A', 'a', 'x'.repeat(40)),
          ),
        ),
        (names) => {
          const given = sheetNames(names);
          expect(new Set(given.map((name) => name.toLowerCase())).size).toBe(names.length);
          for (const name of given) {
            expect(name).toMatch(/^[^[\]:*?/\\]{1,31}$/);
            expect(name).toMatch(/^[^'](.*[^'])?$/s);
            expect(name.toLowerCase()).not.toBe('history');
          }
        },
      ),
    );
  });
});
