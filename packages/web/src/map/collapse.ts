import type { ChangeView, FlowView, MapView } from '@habeas/contract/api';
import { MOST_EDGES, MOST_NODES } from '../graph/layout.ts';

/** What services without a team are drawn as. */
export const NO_TEAM = 'no team';

export type Mark = 'added' | 'removed' | 'changed';

export interface MapNode {
  readonly id: string;
  readonly kind: 'team' | 'service';
  readonly name: string;
  readonly team: string;
  readonly external: boolean;
  /** Of a team: its services. Of a service: itself. */
  readonly services: readonly string[];
  /** Data types that are stored there. */
  readonly stores: readonly string[];
}

export interface MapLink {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly dataTypes: readonly string[];
  /** All that is said of it, for the panel. */
  readonly flows: readonly FlowView[];
  /** Of a comparison: what is all of it, or part of it. */
  readonly marks: readonly Mark[];
}

export interface DrawnMap {
  readonly nodes: readonly MapNode[];
  readonly links: readonly MapLink[];
  /** Teams that were asked to be open and are not, because that would be more than can be read. */
  readonly closed: boolean;
  /** Nodes and links that are left out, the ones with the least data. */
  readonly left: { readonly nodes: number; readonly links: number };
}

/**
 * The map as it is drawn: a node for each team, or for each service of those that are open, and one link between two nodes however
 * many flows there are. Never more than can be read: then all teams are closed, and after that the smallest links are left out. Pure.
 */
export function collapse(map: MapView, open: ReadonlySet<string>): DrawnMap {
  const whole = draw(map, open);
  if (fits(whole)) return { ...whole, closed: false, left: { nodes: 0, links: 0 } };
  const closed = open.size > 0;
  const teams = closed ? draw(map, new Set()) : whole;
  return { ...cut(teams), closed };
}

const fits = ({ nodes, links }: Pick<DrawnMap, 'nodes' | 'links'>) =>
  nodes.length <= MOST_NODES && links.length <= MOST_EDGES;

/** Links as they are in their address. */
export const linkId = (from: string, to: string) => JSON.stringify([from, to]);

function draw(map: MapView, open: ReadonlySet<string>): Pick<DrawnMap, 'nodes' | 'links'> {
  const removed = (map.changes?.removed ?? []).map(flowOfChange).filter((flow) => flow !== undefined);
  const teamOf = teamsOf(map, removed);
  const nodeOf = (service: string) => {
    const team = teamOf.get(service)?.team ?? NO_TEAM;
    return open.has(team) ? `service:${service}` : `team:${team}`;
  };
  const nodes = nodesOf([...teamOf.values()], open, map);
  const marks = marksOf(map);
  const groups = Map.groupBy([...map.flows, ...removed], ({ from, to }) => linkId(nodeOf(from), nodeOf(to)));
  const links = [...groups].flatMap(([id, flows]) => {
    const [from, to] = JSON.parse(id) as [string, string];
    if (from === to) return [];
    const found = new Set(flows.map((flow) => marks.get(keyOf(flow))).filter((mark) => mark !== undefined));
    return {
      id,
      from,
      to,
      dataTypes: [...new Set(flows.map(({ data_type: type }) => type))].toSorted(),
      flows,
      marks: [...found].toSorted(),
    };
  });
  return { nodes, links: links.toSorted((one, other) => compare(one.id, other.id)) };
}

interface Placed {
  readonly service: string;
  readonly team: string;
  readonly external: boolean;
}

/** Every service that is drawn, also one that only a removed flow names. */
function teamsOf(map: MapView, removed: readonly FlowView[]): ReadonlyMap<string, Placed> {
  const placed = new Map<string, Placed>(
    map.services.map(({ name, team, external }) => [
      name,
      { service: name, team: team ?? NO_TEAM, external },
    ]),
  );
  for (const { from, to, team } of [...map.flows, ...removed]) {
    if (!placed.has(from)) placed.set(from, { service: from, team, external: false });
    if (!placed.has(to)) placed.set(to, { service: to, team: NO_TEAM, external: true });
  }
  return placed;
}

function nodesOf(placed: readonly Placed[], open: ReadonlySet<string>, map: MapView): readonly MapNode[] {
  const storesOf = new Map(map.services.map(({ name, stores }) => [name, stores]));
  const nodes = [...Map.groupBy(placed, ({ team }) => team)].flatMap(([team, members]): MapNode[] =>
    open.has(team)
      ? members.map(({ service, external }) => ({
          id: `service:${service}`,
          kind: 'service',
          name: service,
          team,
          external,
          services: [service],
          stores: [...(storesOf.get(service) ?? [])].toSorted(),
        }))
      : [
          {
            id: `team:${team}`,
            kind: 'team',
            name: team,
            team,
            external: members.every(({ external }) => external),
            services: members.map(({ service }) => service).toSorted(),
            stores: [...new Set(members.flatMap(({ service }) => storesOf.get(service) ?? []))].toSorted(),
          },
        ],
  );
  return nodes.toSorted((one, other) => compare(one.id, other.id));
}

/** The links with the most data, and the nodes that they are between. */
function cut({ nodes, links }: Pick<DrawnMap, 'nodes' | 'links'>): Omit<DrawnMap, 'closed'> {
  const largest = links.toSorted(
    (one, other) => other.flows.length - one.flows.length || compare(one.id, other.id),
  );
  const kept = new Set<string>();
  const shown: MapLink[] = [];
  for (const link of largest) {
    const more = [link.from, link.to].filter((id) => !kept.has(id));
    if (shown.length >= MOST_EDGES || kept.size + more.length > MOST_NODES) continue;
    for (const id of more) kept.add(id);
    shown.push(link);
  }
  for (const { id } of nodes) if (kept.size < MOST_NODES) kept.add(id);
  return {
    nodes: nodes.filter(({ id }) => kept.has(id)),
    links: shown.toSorted((one, other) => compare(one.id, other.id)),
    left: { nodes: nodes.length - kept.size, links: links.length - shown.length },
  };
}

const keyOf = ({ from, to, data_type: type }: Pick<FlowView, 'from' | 'to' | 'data_type'>) =>
  JSON.stringify([from, to, type]);

function marksOf({ changes }: MapView): ReadonlyMap<string, Mark> {
  const marks = new Map<string, Mark>();
  for (const mark of ['changed', 'added', 'removed'] as const)
    for (const change of changes?.[mark] ?? [])
      if (change.to_service !== null)
        marks.set(keyOf({ from: change.service, to: change.to_service, data_type: change.data_type }), mark);
  return marks;
}

/** A flow that is no more, as it was said last. */
function flowOfChange(change: ChangeView): FlowView | undefined {
  const [saying] = change.before;
  if (change.to_service === null || saying === undefined) return undefined;
  const { service: from, to_service: to, data_type, category } = change;
  return { from, to, data_type, category, external: false, ...saying };
}

/** By code units: the same in every locale. */
const compare = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);
