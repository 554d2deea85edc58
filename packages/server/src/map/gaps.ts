import type { api } from '@habeas/contract';
import { type GapDecisions, type GapSubject, gapId, NO_DECISIONS } from './gap-decisions.ts';
import type { FlowSeen, MapGraph, StoreSeen } from './graph.ts';
import type { KnownClient } from './known-client.ts';
import type { MapLoss } from './losses.ts';
import type { SourceStatus } from './seen-declaration.ts';
import type { System } from './system.ts';

/** A gap before it has its place among the others. */
type Found = GapSubject & Pick<api.GapView, 'message'> & Partial<Pick<api.GapView, 'client'>>;

export interface GapInput {
  readonly graph: MapGraph;
  readonly systems: readonly System[];
  readonly clients: readonly KnownClient[];
  readonly sources: readonly SourceStatus[];
  /** The category of a data type, or undefined if the configuration gives none. */
  readonly categoryOf: (dataType: string) => string | undefined;
  /** The last time that the map lost too much at once. */
  readonly loss?: MapLoss | undefined;
  /** What people decided about gaps. (Default: nothing) */
  readonly decisions?: GapDecisions | undefined;
  /** The category that the name of a data type suggests. (Default: none) */
  readonly suggestCategory?: ((dataType: string) => string | undefined) | undefined;
  /** past: nobody knows any more which clients and sources there were; gaps of those are left out. */
  readonly moment: 'now' | 'past';
}

/** Everything that is missing from the map, or that keeps a request from reaching data by itself. Sorted. */
export function findGaps(input: GapInput): readonly api.GapView[] {
  const ofToday =
    input.moment === 'past'
      ? []
      : [
          ...storesWithoutEraser(input),
          ...teamsWithoutClient(input),
          ...clientsNotApproved(input),
          ...failingSources(input),
          ...rejectedLabels(input),
        ];
  const gaps: readonly Found[] = [
    ...(input.moment === 'past' ? [] : lostEdges(input)),
    ...undeclaredReceivers(input),
    ...duplicateServices(input),
    ...dataTypesWithoutCategory(input),
    ...evidenceGaps(input.graph),
    ...ofToday,
  ];
  return gaps
    .toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind))
    .map((found) => gapView(found, input));
}

function gapView(found: Found, { decisions = NO_DECISIONS, suggestCategory }: GapInput): api.GapView {
  const { kind, service, team, data_type, message, client = null } = found;
  const id = gapId(found);
  const suggested =
    kind === 'data-type-without-category' && data_type !== null ? suggestCategory?.(data_type) : undefined;
  const decision = decisions.byGap.get(id ?? '') ?? null;
  return {
    id,
    kind,
    service,
    team,
    data_type,
    message,
    client,
    proposed_category: suggested ?? null,
    decision,
  };
}

/** What needs a look first comes first. */
const ORDER: readonly api.GapView['kind'][] = [
  'map-shrunk',
  'undeclared-receiver',
  'duplicate-service',
  'store-without-eraser',
  'team-without-client',
  'client-not-approved',
  'data-type-without-category',
  'declared-not-seen',
  'seen-not-declared',
  'source-failing',
  'rejected-label',
];

const NOTHING = { service: null, team: null, data_type: null } as const;

function undeclaredReceivers({ graph }: GapInput): readonly Found[] {
  return [...graph.services.values()]
    .filter((node) => node.claims.length === 0)
    .map(({ name: service, incoming }) => {
      const senders = [...new Set(incoming.map(({ declaration }) => declaration.service))].join(', ');
      return {
        ...NOTHING,
        kind: 'undeclared-receiver',
        service,
        message: `${senders} sends personal data to ${service}, which no team declared. Let its team declare it, or correct the name.`,
      };
    });
}

function duplicateServices({ graph }: GapInput): readonly Found[] {
  return [...graph.services.values()]
    .filter((node) => node.claims.length > 1)
    .map(({ name: service, claims }) => {
      const teams = claims.map((claim) => claim.team);
      return {
        ...NOTHING,
        kind: 'duplicate-service',
        service,
        message: `Teams ${teams.join(', ')} each say that ${service} is theirs. Requests go to each of them until one takes another name.`,
      };
    });
}

function storesWithoutEraser({ systems }: GapInput): readonly Found[] {
  return systems.flatMap(({ service, team, dataTypes, answeredBy }) => {
    if (answeredBy.kind !== 'ticket') return [];
    const way =
      answeredBy.reason === 'client-not-approved'
        ? `The team has published a client, and nobody has approved it yet: see the gap client-not-approved.`
        : 'Declare a client, or connect its database.';
    const message = `${service} stores ${dataTypes.join(', ')} and nothing answers for it: requests become tickets for team ${team}. ${way}`;
    return [{ kind: 'store-without-eraser', service, team, data_type: null, message }];
  });
}

function teamsWithoutClient({ systems }: GapInput): readonly Found[] {
  const teams = new Set<string>();
  for (const { team, answeredBy } of systems) {
    if (answeredBy.kind === 'ticket' && answeredBy.reason === 'no-client') teams.add(team);
  }
  return [...teams].sort().map((team) => ({
    ...NOTHING,
    kind: 'team-without-client',
    team,
    message: `Team ${team} stores personal data and has no client. Let it declare one, for example with the SDK.`,
  }));
}

function clientsNotApproved({ clients }: GapInput): readonly Found[] {
  return clients
    .filter((client) => client.state === 'proposed' && !client.stale)
    .map((client) => ({
      kind: 'client-not-approved',
      service: client.service ?? null,
      team: client.team,
      data_type: null,
      client: client.id,
      message: `Team ${client.team} says that ${client.address} (${client.protocol}) answers requests about people for ${client.service ?? 'all its services'}. Nothing is sent there until somebody decides. Is the address the team's? Then run \`habeas clients approve ${client.id}\`, else \`habeas clients reject ${client.id}\`.`,
    }));
}

/** Also those that somebody gave one, so that it can be taken back. What the configuration says counts before that. */
function dataTypesWithoutCategory({
  graph,
  categoryOf,
  decisions = NO_DECISIONS,
}: GapInput): readonly Found[] {
  const dataTypes = new Set(graph.stores.map(({ declaration }) => declaration.dataType));
  for (const { declaration } of graph.flows) dataTypes.add(declaration.dataType);
  return [...dataTypes]
    .sort()
    .filter((dataType) => {
      const category = categoryOf(dataType);
      return category === undefined || category === decisions.categories.get(dataType);
    })
    .map((dataType) => ({
      ...NOTHING,
      kind: 'data-type-without-category',
      data_type: dataType,
      message: `Data type ${dataType} has no category in the configuration. Give it one there under data_types, or approve one here.`,
    }));
}

/**
 * What a person wrote down and no program says, and the other way round: the latter only of services about which a person
 * wrote something down. One gap for each service and data type.
 */
function evidenceGaps(graph: MapGraph): readonly Found[] {
  const isWritten = ({ evidence }: FlowSeen | StoreSeen) => evidence === 'declared';
  if (!graph.stores.some(isWritten) && !graph.flows.some(isWritten)) return [];
  const edges = edgesOf(graph);
  const observing = edges.some(({ observed }) => observed);
  const written = new Set(edges.flatMap(({ declared, service }) => (declared ? service : [])));
  const notSeen = edges.filter(({ observed }) => observing && !observed);
  const notDeclared = edges.filter(({ declared, service }) => !declared && written.has(service));
  return [
    ...byServiceAndType(notSeen).map((group) => ({
      ...gapOf(group),
      kind: 'declared-not-seen' as const,
      message: `${whatItDoes(group)}: somebody wrote it down, but no program says so. Let the service publish it, or take it out of the list (${sourcesOf(group)}).`,
    })),
    ...byServiceAndType(notDeclared).map((group) => ({
      ...gapOf(group),
      kind: 'seen-not-declared' as const,
      message: `${whatItDoes(group)}: its metrics say so (${sourcesOf(group)}), but the list that names the service does not. Add it there, or ask the team.`,
    })),
  ];
}

interface EvidenceOfEdge {
  readonly service: string;
  readonly team: string;
  readonly dataType: string;
  /** undefined: a store. */
  readonly to: string | undefined;
  readonly observed: boolean;
  readonly declared: boolean;
  readonly sources: readonly string[];
}

function edgesOf({ flows, stores }: MapGraph): readonly EvidenceOfEdge[] {
  const sayings: readonly (FlowSeen | StoreSeen)[] = [...stores, ...flows];
  const receiverOf = ({ declaration }: FlowSeen | StoreSeen) =>
    declaration.kind === 'transmit' ? declaration.toService : undefined;
  const groups = Map.groupBy(sayings, ({ known }) => known.identity);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { service, team, dataType } = first.declaration;
    return [
      {
        service,
        team,
        dataType,
        to: receiverOf(first),
        observed: group.some(({ evidence }) => evidence === 'observed'),
        declared: group.some(({ evidence }) => evidence === 'declared'),
        sources: group.map(({ source }) => source),
      },
    ];
  });
}

type EdgeGroup = readonly [EvidenceOfEdge, ...EvidenceOfEdge[]];

function byServiceAndType(edges: readonly EvidenceOfEdge[]): readonly EdgeGroup[] {
  const groups = Map.groupBy(edges, ({ service, dataType }) => JSON.stringify([service, dataType]));
  return [...groups.values()].flatMap(([first, ...rest]): EdgeGroup[] =>
    first === undefined ? [] : [[first, ...rest]],
  );
}

function gapOf([{ service, team, dataType }]: EdgeGroup) {
  return { service, team, data_type: dataType };
}

function whatItDoes(group: EdgeGroup): string {
  const [{ service, dataType }] = group;
  const receivers = group.flatMap(({ to }) => to ?? []);
  const does = [
    ...(receivers.length < group.length ? [`stores ${dataType}`] : []),
    ...(receivers.length === 0 ? [] : [`sends ${dataType} to ${receivers.join(', ')}`]),
  ];
  return `${service} ${does.join(' and ')}`;
}

function sourcesOf(group: EdgeGroup): string {
  return [...new Set(group.flatMap(({ sources }) => sources))].sort().join(', ');
}

function lostEdges({ loss, graph }: GapInput): readonly Found[] {
  if (loss === undefined || edgesOf(graph).length >= loss.edges) return [];
  const message = `At ${loss.at.toISOString()} the map lost ${loss.lost} of its ${loss.edges} flows and stores between two polls (${loss.sources.join(', ')}). If that data really stopped moving, nothing is to be done; if not, something hides it, such as a relabelling rule. \`habeas map --compare-to ${loss.before.toISOString()}\` lists them.`;
  return [{ ...NOTHING, kind: 'map-shrunk', message }];
}

function failingSources({ graph, sources }: GapInput): readonly Found[] {
  return sources.flatMap((source) => {
    if (!source.configured) return forgottenSource(source, graph);
    const messages =
      source.state === 'failing'
        ? [`${source.error} ${lastRead(source)}`]
        : source.warnings.filter((warning) => warning.kind === 'broken').map((warning) => warning.message);
    return messages.map((message) => ({ ...NOTHING, kind: 'source-failing', message }));
  });
}

/** A source that the configuration does not name any more, and that alone knows of some data. */
function forgottenSource(source: SourceStatus, graph: MapGraph): readonly Found[] {
  const alone = graph.stores.filter((store) => store.source === source.source);
  if (alone.length === 0) return [];
  const services = [...new Set(alone.map((store) => store.declaration.service))].join(', ');
  const message = `${source.source} is not in the configuration any more, and only there ${services} said what it stores. It stays in the map, because the data may still be there. ${lastRead(source)}`;
  return [{ ...NOTHING, kind: 'source-failing', message }];
}

function lastRead(source: SourceStatus): string {
  return source.completeAt === null
    ? 'It was never read completely.'
    : `It was last read completely at ${source.completeAt.toISOString()}; what it said then still counts.`;
}

function rejectedLabels({ sources }: GapInput): readonly Found[] {
  return sources.flatMap((source) =>
    source.warnings
      .filter((warning) => warning.kind === 'rejected')
      .map(({ service, team, message }) => ({
        kind: 'rejected-label',
        service,
        team,
        data_type: null,
        message: `${message} (${source.source})`,
      })),
  );
}
