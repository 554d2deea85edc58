import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { documentOf, HOSTILE_NAMES, mapOf, randomMap } from '../../../test/random-map.ts';
import { requireData } from '../../../test/requirements.ts';
import { parseConfig } from '../../foundation/index.ts';
import { csvOf } from './csv.ts';
import { declarationsOf, importYaml } from './declared-services.ts';
import { dpvOf } from './dpv.ts';
import { DPV_TERMS } from './dpv-terms.ts';
import { fideslangOf } from './fideslang.ts';
import { importMap } from './import-map.ts';
import { openLineageOf } from './open-lineage.ts';
import { parseRecord } from './record-file.ts';
import { SENSITIVE_CATEGORIES, sensitivityOf } from './sensitive-categories.ts';

const text = (parts: Iterable<string>) => [...parts].join('');
const taxonomies = requireData('pii/taxonomies');
const page = (name: string) => readFileSync(new URL(`../../../../../docs/${name}`, import.meta.url), 'utf8');

/** The cells of a table after RFC 4180. */
function readCsv(table: string): readonly (readonly string[])[] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain = '', end] of table.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === '\r\n') rows.push([]);
  }
  return rows.slice(0, -1);
}

describe('CSV', () => {
  it('has one row for everything in the map, all of the same width, and none that runs', () => {
    fc.assert(
      fc.property(randomMap, (map) => {
        const [head = [], ...rows] = readCsv(text(csvOf(documentOf(map))));
        expect(new Set(rows.map((row) => row.length))).toEqual(new Set([head.length]));
        const count = (kind: string) => rows.filter(([row]) => row === kind).length;
        expect([count('service'), count('store'), count('flow'), count('gap')]).toEqual(
          [map.services, map.stores, map.flows, map.gaps].map(({ length }) => length),
        );
        expect(rows.flat().filter((cell) => /^[=+\-@\t\r]/.test(cell))).toEqual([]);
      }),
    );
  });

  it('says in its first lines what it is', () => {
    const document = documentOf(mapOf({ services: [{ name: 'orders' }] }));
    const about = readCsv(text(csvOf(document))).filter(([row]) => row === 'about');
    expect(about.map((row) => row.at(-1))).toContain(`SHA-256 of the JSON form: ${document.stamp.sha256}`);
  });
});

describe('an import', () => {
  it('of JSON or Fideslang gives back exactly what was declared, and the configuration takes it', () => {
    fc.assert(
      fc.property(randomMap, (map) => {
        const document = documentOf(map);
        const want = declarationsOf(map);
        expect(importMap(JSON.stringify(document), 'map.json')).toEqual(want);
        expect(importMap(text(fideslangOf(document, undefined)), 'systems.yml')).toEqual(want);
        const config = parseConfig({
          // `${NAME}` stands for a variable of the environment, in names too.
          text: importYaml(want).replaceAll('${', '$ {'),
          file: 'habeas.yaml',
          environment: {},
        });
        expect(config.map.declarations.length).toBe(want.declarations.length);
      }),
    );
  });

  it('of systems that others wrote takes departments as teams, categories as data types, and tells what it leaves out', () => {
    const systems = `
system:
  - fides_key: shop_db
    name: Shop
    system_type: Database
    administrating_department: Engineering
    privacy_declarations:
      - { data_categories: [user.contact.email], data_use: essential.service, data_subjects: [customer], retention_period: 90 days }
    egress:
      - { fides_key: mailer, type: system, data_categories: [user.contact.email] }
      - { fides_key: user, type: user }
  - fides_key: mailer
    system_type: Service
    privacy_declarations: []
    ingress:
      - { fides_key: shop_db, type: system, data_categories: [user.name] }`;
    expect(importMap(systems, 'systems.yml')).toEqual({
      declarations: [
        {
          team: 'Engineering',
          service: 'Shop',
          stores: [
            {
              data_type: 'user.contact.email',
              purpose: 'essential.service',
              subject: 'customer',
              retention: '90 days',
            },
          ],
          transmits: [
            { to_service: 'mailer', data_type: 'user.contact.email' },
            { to_service: 'mailer', data_type: 'user.name' },
          ],
        },
        { team: 'mailer', service: 'mailer', stores: [], transmits: [] },
      ],
      dataTypes: { 'user.contact.email': 'user.contact.email', 'user.name': 'user.name' },
      notes: ['shop_db, egress user: a flow of type "user" has no counterpart and is left out.'],
    });
  });
});

describe('Fideslang', () => {
  const record = parseRecord(
    `
activities:
  - { name: Orders, services: [orders], legal_basis: contract, subjects: [job applicants], data_use: essential.service }`,
    'record.yaml',
  );

  it('gives each system a key that Fideslang takes, even for names that it does not', () => {
    const map = mapOf({ services: HOSTILE_NAMES.map((name) => ({ name })) });
    const { system } = parse(text(fideslangOf(documentOf(map), undefined)));
    const keys = system.map(({ fides_key: key }: { fides_key: string }) => key);
    expect(keys.filter((key: string) => !/^[a-zA-Z0-9_.<>-]+$/.test(key) || key === 'user')).toEqual([]);
    expect(new Set(keys).size).toBe(HOSTILE_NAMES.length);
    expect(new Set(system.map(({ name }: { name: string }) => name))).toEqual(new Set(HOSTILE_NAMES));
  });

  it('means the same to readers of YAML 1.1, as Fides is one, and of 1.2', () => {
    fc.assert(
      fc.property(randomMap, (map) => {
        const yaml = text(fideslangOf(documentOf(map), undefined));
        expect(parse(yaml, { version: '1.1' })).toEqual(parse(yaml));
      }),
    );
  });

  it('declares what an activity with a data use covers', () => {
    const map = mapOf({
      services: [{ name: 'orders' }, { name: 'vendor', team: null, external: true }],
      stores: [{ service: 'orders', data_type: 'diagnosis', category: 'user.health_and_medical' }],
      flows: [
        { from: 'orders', to: 'vendor', data_type: 'email', category: 'user.contact.email', external: true },
      ],
    });
    const { system } = parse(text(fideslangOf(documentOf(map), record)));
    expect(system[0]).toMatchObject({
      egress: [{ fides_key: 'vendor', type: 'system', data_categories: ['user.contact.email'] }],
      privacy_declarations: [
        {
          name: 'Orders',
          data_use: 'essential.service',
          data_subjects: ['job_applicants'],
          data_categories: ['user.contact.email', 'user.health_and_medical'],
          legal_basis_for_processing: 'Contract',
          processes_special_category_data: true,
          third_parties: 'vendor',
        },
      ],
    });
    expect(system[1]).toMatchObject({ system_type: 'Third Party', administrating_department: 'Not defined' });
  });
});

describe('OpenLineage', () => {
  const text_ = { type: 'string' } as const;
  const uri = { type: 'string', pattern: '^[a-z]+:' } as const;
  const facets = {
    type: 'object',
    additionalProperties: {
      type: 'object',
      required: ['_producer', '_schemaURL'],
      properties: { _producer: uri, _schemaURL: uri },
    },
  } as const;
  const named = {
    type: 'object',
    required: ['namespace', 'name'],
    properties: { namespace: text_, name: text_, facets },
  } as const;
  const base = {
    eventTime: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z$' },
    producer: uri,
    schemaURL: uri,
  } as const;
  /** What the specification 2-0-2 wants of the two kinds of event without a run. */
  const isEvent = new Ajv2020({ strict: false }).compile({
    type: 'object',
    required: ['eventTime', 'producer', 'schemaURL'],
    oneOf: [
      {
        required: ['job'],
        properties: {
          ...base,
          job: named,
          inputs: { type: 'array', items: named },
          outputs: { type: 'array', items: named },
        },
        not: { anyOf: [{ required: ['run'] }, { required: ['dataset'] }] },
      },
      {
        required: ['dataset'],
        properties: { ...base, dataset: named },
        not: { anyOf: [{ required: ['run'] }, { required: ['job'] }] },
      },
    ],
  });

  it('has an event in each line, and every dataset that a job names has one of its own', () => {
    fc.assert(
      fc.property(randomMap, (map) => {
        const events = text(openLineageOf(documentOf(map)))
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line));
        expect(events.filter((event) => !isEvent(event))).toEqual([]);
        const datasets = new Set(events.flatMap(({ dataset }) => dataset?.name ?? []));
        const used = events.flatMap(({ inputs = [], outputs = [] }) => [...inputs, ...outputs]);
        expect(used.filter(({ name }) => !datasets.has(name))).toEqual([]);
        const senders = new Set(map.flows.map(({ from }) => from));
        expect(events.filter(({ job }) => job !== undefined)).toHaveLength(senders.size + 1);
      }),
    );
  });

  it('leads from the data of a sender to that of a receiver', () => {
    const map = mapOf({
      services: [{ name: 'orders' }, { name: 'mailer' }],
      flows: [{ from: 'orders', to: 'mailer', data_type: 'email', category: 'user.contact.email' }],
    });
    const events = text(openLineageOf(documentOf(map)))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events[0].job.facets.habeas_export).toMatchObject({ as_of: map.as_of, counts: map.counts });
    expect(events.at(-1)).toMatchObject({
      job: { namespace: 'habeas://acme', name: 'orders' },
      inputs: [{ name: 'orders/email' }],
      outputs: [{ name: 'mailer/email' }],
    });
    expect(events[1].dataset.facets.tags.tags).toContainEqual({
      key: 'data_category',
      value: 'user.contact.email',
      source: 'habeas',
    });
  });
});

describe('DPV', () => {
  it('is one JSON document whose prefixes are all in its context', () => {
    fc.assert(
      fc.property(randomMap, (map) => {
        const parsed = JSON.parse(text(dpvOf(documentOf(map), undefined)));
        const prefixes = new Set(Object.keys(parsed['@context']));
        const unknown = termsOf(parsed['@graph']).filter((term) => !prefixes.has(term.split(':')[0] ?? ''));
        expect(unknown.filter((term) => !term.startsWith('urn:'))).toEqual([]);
      }),
    );
  });

  it.skipIf(taxonomies === undefined)(
    'names terms that DPV 2.3 has, for categories that Fideslang has',
    () => {
      const terms = new Set(
        [...readFileSync(`${taxonomies}/dpv-pd-2.3.csv`, 'utf8').matchAll(/^"(\w+)"/gm)].map(
          ([, term]) => term,
        ),
      );
      expect(Object.values(DPV_TERMS).filter((term) => !terms.has(term))).toEqual([]);
      const file = JSON.parse(readFileSync(`${taxonomies}/fideslang_data_categories.json`, 'utf8'));
      const keys = new Set(Object.values<{ fides_key: string }[]>(file)[0]?.map(({ fides_key: key }) => key));
      const used = [...Object.keys(DPV_TERMS), ...Object.keys(SENSITIVE_CATEGORIES)];
      expect(used.filter((key) => !keys.has(key))).toEqual([]);
    },
  );
});

describe('the list of sensitive categories', () => {
  it('is the one of docs/map-exports.md', () => {
    const rows = [...page('map-exports.md').matchAll(/^\| `(user\.[a-z_.]+)` \| ([a-z0-9 ]+) \|$/gm)];
    expect(Object.fromEntries(rows.map(([, key, why]) => [key, why]))).toEqual(SENSITIVE_CATEGORIES);
  });

  it('covers what lies below a key, after the longest one, and nothing beside it', () => {
    expect(sensitivityOf('user.health_and_medical.genetic')).toBe('article 9');
    expect(sensitivityOf('user.authorization.biometric')).toBe('article 9');
    expect(sensitivityOf('user.authorization.password')).toBe('highly personal');
    expect([sensitivityOf('user.financials'), sensitivityOf('__proto__'), sensitivityOf(null)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

/** All values of `@type` and `@id`, and all names of properties with a prefix. */
function termsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(termsOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    if (name === '@type' || name === '@id') return [member].flat() as string[];
    return [...(name.startsWith('@') ? [] : [name]), ...termsOf(member)];
  });
}
