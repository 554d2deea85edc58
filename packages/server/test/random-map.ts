import type { api } from '@habeas/contract';
import fc from 'fast-check';
import { mapDocument } from '../src/map/exports/index.ts';
import { UNDECIDED } from './empty-map.ts';

/** Names that mean something to one format or another. */
export const HOSTILE_NAMES: readonly string[] = [
  'end',
  '__proto__',
  'constructor',
  'user',
  'a"b',
  "a'b",
  '<b onload="x">&amp;</b>',
  '&lt;',
  '</svg><script>alert(1)</script>',
  ']]>',
  'a\\',
  '\\N \\"',
  'a\nb\r\nend',
  'a\u2028b\u2029\u0085end',
  '%%{init: {}}%%',
  '`code` | table | #34;',
  '=cmd|calc!A1',
  '@SUM(1)',
  '-1+1',
  '1. list',
  '- list',
  '#quot;',
  '--> x',
  '{"a":1}',
  '🦖 ü 漢字',
  '_x0041_',
  '!important',
  '{',
  '* & anchor',
  'yes',
  '~',
  '1e3',
  ' ',
];

const AT = '2026-03-01T12:00:00.000Z';

const CATEGORIES = [
  'user.contact.email',
  'user.contact',
  'user.health_and_medical.genetic',
  'user.criminal_history',
  'user.financial.bank_account',
  'user.name',
];

const name = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('orders', 'mailer', 'analytics', 'warehouse', 'crm') },
  { weight: 2, arbitrary: fc.constantFrom(...HOSTILE_NAMES) },
  { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }) },
);

const word = fc.option(fc.oneof(fc.constantFrom('marketing', '30d', 'eu', 'customer'), name), { nil: null });
const time = fc
  .date({ min: new Date('2025-01-01'), max: new Date('2026-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());

const saying = {
  team: name,
  source: name,
  evidence: fc.constantFrom('observed' as const, 'declared' as const),
  purpose: word,
  subject: word,
  retention: word,
  region: word,
  first_seen: time,
  last_seen: time,
};

/** A map as the server answers it: each data type has one category, and each service at an end of a flow is one of its services. */
export const randomMap: fc.Arbitrary<api.MapView> = fc
  .record({
    stores: fc.array(fc.record({ service: name, data_type: name, ...saying }), { maxLength: 8 }),
    flows: fc.array(fc.record({ from: name, to: name, data_type: name, ...saying }), { maxLength: 8 }),
    gap: name,
    seed: fc.nat(1_000),
  })
  .map(({ stores, flows, gap, seed }) => {
    const types = [...new Set([...stores, ...flows].map(({ data_type: type }) => type))];
    const categories = new Map(types.map((type, index) => [type, CATEGORIES[(seed + index) % 7] ?? null]));
    const teams = new Map<string, Set<string>>();
    const claim = (service: string, team: string) =>
      teams.set(service, (teams.get(service) ?? new Set()).add(team));
    for (const { service, team } of stores) claim(service, team);
    for (const { from, team } of flows) claim(from, team);
    const undeclared = [...new Set(flows.map(({ to }) => to))].filter((to) => !teams.has(to));
    const storesOf = (service: string, team: string) =>
      stores.filter((store) => store.service === service && store.team === team);
    const base = { first_seen: AT, last_seen: AT };
    return {
      at: AT,
      as_of: AT,
      filter: {},
      counts: {
        services: teams.size + undeclared.length,
        teams: new Set([...teams.values()].flatMap((all) => [...all])).size,
        data_types: types.length,
        stores: stores.length,
        flows: flows.length,
        gaps: 1,
      },
      services: [
        ...[...teams].flatMap(([service, claims]) =>
          [...claims].map((team) => ({
            ...base,
            name: service,
            team,
            external: seed % 5 === 0,
            stores: [...new Set(storesOf(service, team).map(({ data_type: type }) => type))],
            answered_by: 'client' as const,
          })),
        ),
        ...undeclared.map((service) => ({
          ...base,
          name: service,
          team: null,
          external: true,
          stores: [],
          answered_by: 'nobody' as const,
        })),
      ],
      stores: stores.map((store) => ({ ...store, category: categories.get(store.data_type) ?? null })),
      flows: flows.map((flow) => ({
        ...flow,
        category: categories.get(flow.data_type) ?? null,
        external: undeclared.includes(flow.to),
      })),
      gaps: [
        {
          ...UNDECIDED,
          kind: 'undeclared-receiver' as const,
          service: gap,
          team: null,
          data_type: null,
          message: gap,
        },
      ],
      changes: null,
      teams: null,
    };
  });

/** A map made by hand: what is not named is ordinary. */
export function mapOf(parts: {
  readonly services?: readonly (Partial<api.ServiceView> & { readonly name: string })[];
  readonly stores?: readonly (Partial<api.MapView['stores'][number]> & {
    readonly service: string;
    readonly data_type: string;
  })[];
  readonly flows?: readonly (Partial<api.FlowView> & {
    readonly from: string;
    readonly to: string;
    readonly data_type: string;
  })[];
  readonly filter?: api.MapView['filter'];
}): api.MapView {
  const saying = {
    team: 'shop',
    category: null,
    source: 'http://shop/metrics',
    evidence: 'observed' as const,
    ...{ purpose: null, subject: null, retention: null, region: null },
    ...{ first_seen: AT, last_seen: AT },
  };
  const service = { team: 'shop', external: false, stores: [], answered_by: 'client' as const };
  const { services = [], stores = [], flows = [], filter = {} } = parts;
  return {
    ...{ at: AT, as_of: AT, filter },
    counts: {
      services: services.length,
      teams: 1,
      data_types: 1,
      stores: stores.length,
      flows: flows.length,
      gaps: 0,
    },
    services: services.map((one) => ({ ...service, first_seen: AT, last_seen: AT, ...one })),
    stores: stores.map((one) => ({ ...saying, ...one })),
    flows: flows.map((one) => ({ ...saying, external: false, ...one })),
    ...{ gaps: [], changes: null, teams: null },
  };
}

export function documentOf(map: api.MapView): api.MapExport {
  return mapDocument({
    map,
    organization: 'acme',
    product: 'habeas 0.0.0-test',
    now: new Date('2026-03-01T13:00:00Z'),
  });
}
