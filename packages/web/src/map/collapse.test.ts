import type { FlowView, MapView } from '@habeas/contract/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MOST_EDGES, MOST_NODES } from '../graph/layout.ts';
import { collapse, NO_TEAM } from './collapse.ts';

const AT = '2026-03-01T12:00:00.000Z';
const said = {
  source: 's',
  evidence: 'observed',
  purpose: null,
  subject: null,
  retention: null,
  region: null,
  first_seen: AT,
  last_seen: AT,
} as const;

const flow = (from: string, to: string, type = 'ip', team = 'data'): FlowView => ({
  from,
  to,
  data_type: type,
  category: null,
  external: false,
  team,
  ...said,
});

function mapOf(teams: Readonly<Record<string, string | null>>, flows: readonly FlowView[]): MapView {
  return {
    services: Object.entries(teams).map(([name, team]) => ({
      name,
      team,
      external: team === null,
      stores: ['ip'],
      first_seen: AT,
      last_seen: AT,
      answered_by: 'client',
    })),
    flows: [...flows],
    stores: [],
    gaps: [],
    changes: null,
    teams: null,
  } as unknown as MapView;
}

const TEAMS = { shop: 'store', orders: 'store', mailer: 'growth', vendor: null } as const;
const FLOWS = [
  flow('shop', 'orders'),
  flow('shop', 'mailer'),
  flow('orders', 'mailer', 'email'),
  flow('mailer', 'vendor'),
];

describe('the map as it is drawn', () => {
  it('is one node a team and one link between two, with all data types', () => {
    const { nodes, links } = collapse(mapOf(TEAMS, FLOWS), new Set());
    expect(nodes.map(({ id }) => id)).toEqual(['team:growth', `team:${NO_TEAM}`, 'team:store']);
    expect(links.map(({ from, to, dataTypes }) => [from, to, dataTypes])).toEqual([
      ['team:growth', `team:${NO_TEAM}`, ['ip']],
      ['team:store', 'team:growth', ['email', 'ip']],
    ]);
  });

  it('shows the services of a team that is open, in its place', () => {
    const { nodes, links } = collapse(mapOf(TEAMS, FLOWS), new Set(['store']));
    expect(nodes.map(({ id }) => id)).toEqual([
      'service:orders',
      'service:shop',
      'team:growth',
      `team:${NO_TEAM}`,
    ]);
    expect(links.map(({ from, to }) => `${from} ${to}`)).toContain('service:shop service:orders');
  });

  it('marks what was added, removed and changed, and draws what is no more', () => {
    const change = {
      kind: 'flow',
      data_type: 'ip',
      category: null,
      external: false,
      at: AT,
      by: [],
      after: [],
    };
    const map = mapOf(TEAMS, FLOWS);
    map.changes = {
      from: AT,
      to: AT,
      added: [{ ...change, service: 'shop', to_service: 'mailer', before: [] }],
      removed: [{ ...change, service: 'shop', to_service: 'old', before: [{ team: 'store', ...said }] }],
      changed: [],
    } as never;
    const { nodes, links } = collapse(map, new Set(['store']));
    const marks = Object.fromEntries(links.map(({ from, to, marks }) => [`${from} ${to}`, marks]));
    expect(marks['service:shop team:growth']).toEqual(['added']);
    expect(marks[`service:shop team:${NO_TEAM}`]).toEqual(['removed']);
    expect(marks['service:orders team:growth']).toEqual([]);
    expect(nodes.find(({ name }) => name === NO_TEAM)?.services).toEqual(['old', 'vendor']);
  });

  it('loses no flow between teams, keeps within what can be read, and does not depend on the order of anything', () => {
    const services = Array.from({ length: 40 }, (_, number) => `s${number}`);
    const teams = fc.array(fc.constantFrom('a', 'b', 'c', null), { minLength: 40, maxLength: 40 });
    const pairs = fc.array(fc.tuple(fc.constantFrom(...services), fc.constantFrom(...services)), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(teams, pairs, fc.subarray(['a', 'b', 'c', NO_TEAM]), (owners, links, open) => {
        const owner = Object.fromEntries(services.map((name, index) => [name, owners[index] ?? null]));
        const map = mapOf(
          owner,
          links.map(([from, to]) => flow(from, to)),
        );
        const drawn = collapse(map, new Set(open));
        const nodeOf = (name: string) => {
          const team = owner[name] ?? NO_TEAM;
          return open.includes(team) ? `service:${name}` : `team:${team}`;
        };
        const between = links.filter(([from, to]) => nodeOf(from) !== nodeOf(to));
        expect(drawn.links.reduce((sum, { flows }) => sum + flows.length, 0)).toBe(between.length);
        expect(drawn.nodes.flatMap((node) => node.services).toSorted()).toEqual(services.toSorted());
        const turned = { ...map, services: map.services.toReversed(), flows: map.flows.toReversed() };
        const ids = ({ nodes, links: all }: typeof drawn) => [...nodes, ...all].map(({ id }) => id);
        expect(ids(collapse(turned, new Set(open)))).toEqual(ids(drawn));
      }),
    );
  });

  it('closes teams that would be more than can be read, and then leaves out the smallest links, and says so', () => {
    const many = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, number) => [`s${number}`, `t${number % 400}`]),
    );
    const flows = Array.from({ length: 10_000 }, (_, number) =>
      flow(`s${number % 1_000}`, `s${(number * 7 + Math.floor(number / 1_000)) % 1_000}`),
    );
    const drawn = collapse(mapOf(many, flows), new Set(['t1']));
    expect(drawn.closed).toBe(true);
    expect(drawn.nodes.length).toBeLessThanOrEqual(MOST_NODES);
    expect(drawn.links.length).toBeLessThanOrEqual(MOST_EDGES);
    expect(drawn.left.nodes).toBe(400 - drawn.nodes.length);
    expect(drawn.left.links).toBeGreaterThan(0);
  });
});
