import type { api } from '@habeas/contract';
import { plainText } from './stamp-lines.ts';

/** What a picture of the map shows: one box for a service, one arrow for all that flows from one to another. */
export interface Drawing {
  /** Sorted by team and name. */
  readonly nodes: readonly DrawnNode[];
  /** Sorted by the places of their nodes. */
  readonly edges: readonly DrawnEdge[];
  /** Teams in the order of their colours; boxes of no team come last, without one. */
  readonly teams: readonly string[];
  /** What the picture does not show, or undefined if it shows all. */
  readonly notice: string | undefined;
}

export interface DrawnNode {
  readonly label: string;
  /** null: nobody declared it. */
  readonly team: string | null;
  /** A second line: what it stores. */
  readonly detail: string;
}

export interface DrawnEdge {
  /** Index of a node. */
  readonly from: number;
  readonly to: number;
  readonly label: string;
}

export interface DrawingLimits {
  readonly nodes: number;
  readonly edges: number;
}

/** Beyond this nothing is readable any more. */
export const DEFAULT_LIMITS: DrawingLimits = { nodes: 300, edges: 600 };

/** Data types that an arrow or a box names; of more it says how many. */
const NAMED_TYPES = 4;

interface Box {
  readonly name: string;
  readonly team: string | null;
  readonly stores: ReadonlySet<string>;
}

interface Pair {
  readonly from: string;
  readonly to: string;
  readonly dataTypes: Set<string>;
}

/** Draws services; beyond the limits teams, each as one box; and beyond them only the arrows that carry most. */
export function drawingOf(map: api.MapView, limits: DrawingLimits = DEFAULT_LIMITS): Drawing {
  const boxes = boxesOf(map);
  const pairs = pairsOf(map.flows);
  if (boxes.length <= limits.nodes && pairs.length <= limits.edges) return draw(boxes, pairs, undefined);
  const counts = `The map has ${boxes.length} services and ${pairs.length} pairs of services between which data flows`;
  const teamOf = new Map(boxes.map((box) => [box.name, box.team]));
  const teams = collapse(boxes);
  const between = pairsOf(
    map.flows.map((flow) => ({
      ...flow,
      from: teamName(teamOf.get(flow.from) ?? null),
      to: teamName(teamOf.get(flow.to) ?? null),
    })),
  ).filter(({ from, to }) => from !== to);
  if (teams.length <= limits.nodes && between.length <= limits.edges)
    return draw(
      teams,
      between,
      `${counts}: too many to draw. Each box is a team. CSV and JSON have all of it.`,
    );
  const drawn = strongest(between, limits);
  const shown = teams.filter(({ name }) => drawn.some(({ from, to }) => from === name || to === name));
  return draw(
    shown.slice(0, limits.nodes),
    drawn,
    `${counts}: too many to draw. Each box is a team, and only ${drawn.length} of ${between.length} arrows are drawn. CSV and JSON have all of it.`,
  );
}

/** A service that two teams claim is one box. */
function boxesOf(map: api.MapView): readonly Box[] {
  const groups = Map.groupBy(map.services, ({ name }) => name);
  const named = new Set([...groups.keys(), ...map.flows.flatMap(({ from, to }) => [from, to])]);
  return [...named].map((name) => {
    const claims = groups.get(name) ?? [];
    const teams = claims.flatMap(({ team }) => team ?? []);
    return {
      name,
      team: teams[0] ?? null,
      stores: new Set(claims.flatMap(({ stores }) => stores)),
    };
  });
}

function pairsOf(flows: readonly Pick<api.FlowView, 'from' | 'to' | 'data_type'>[]): readonly Pair[] {
  const pairs = new Map<string, Pair>();
  for (const { from, to, data_type: dataType } of flows) {
    const key = JSON.stringify([from, to]);
    const pair = pairs.get(key) ?? { from, to, dataTypes: new Set() };
    pair.dataTypes.add(dataType);
    pairs.set(key, pair);
  }
  return [...pairs.values()];
}

function collapse(boxes: readonly Box[]): readonly Box[] {
  const groups = Map.groupBy(boxes, ({ team }) => team);
  return [...groups].map(([team, members]) => ({
    name: teamName(team),
    team,
    stores: new Set(members.flatMap(({ stores }) => [...stores])),
  }));
}

function teamName(team: string | null): string {
  return team === null ? 'no team' : `team ${team}`;
}

/** The arrows with most data types, as many as fit, between no more boxes than fit. */
function strongest(pairs: readonly Pair[], limits: DrawingLimits): readonly Pair[] {
  const sorted = pairs.toSorted((a, b) => b.dataTypes.size - a.dataTypes.size || comparePairs(a, b));
  const boxes = new Set<string>();
  const chosen: Pair[] = [];
  for (const pair of sorted) {
    if (chosen.length === limits.edges) break;
    const wider = new Set([...boxes, pair.from, pair.to]);
    if (wider.size > limits.nodes) continue;
    for (const name of wider) boxes.add(name);
    chosen.push(pair);
  }
  return chosen;
}

function draw(boxes: readonly Box[], pairs: readonly Pair[], notice: string | undefined): Drawing {
  const sorted = boxes.toSorted(
    (a, b) => compare(a.team ?? '\uffff', b.team ?? '\uffff') || compare(a.name, b.name),
  );
  const places = new Map(sorted.map(({ name }, index) => [name, index]));
  const edges = pairs.flatMap((pair): DrawnEdge[] => {
    const [from, to] = [places.get(pair.from), places.get(pair.to)];
    return from === undefined || to === undefined ? [] : [{ from, to, label: someOf(pair.dataTypes) }];
  });
  return {
    nodes: sorted.map(({ name, team, stores }) => ({
      label: plainText(name),
      team: team === null ? null : plainText(team),
      detail: someOf(stores),
    })),
    edges: edges.sort((a, b) => a.from - b.from || a.to - b.to),
    teams: [...new Set(sorted.flatMap(({ team }) => (team === null ? [] : [plainText(team)])))],
    notice,
  };
}

function someOf(dataTypes: ReadonlySet<string>): string {
  const sorted = [...dataTypes].sort(compare).map(plainText);
  const shown = sorted.length > NAMED_TYPES + 1 ? sorted.slice(0, NAMED_TYPES) : sorted;
  const rest = sorted.length - shown.length;
  return rest === 0 ? shown.join(', ') : `${shown.join(', ')} and ${rest} more`;
}

function comparePairs(a: Pair, b: Pair): number {
  return compare(a.from, b.from) || compare(a.to, b.to);
}

/** By UTF-16 code units, the same on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
