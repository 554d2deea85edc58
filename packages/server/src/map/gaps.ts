import type { api } from '@habeas/contract';
import type { MapGraph } from './graph.ts';
import type { KnownClient, SourceStatus } from './snapshot.ts';
import type { System } from './system.ts';

export interface GapInput {
  readonly graph: MapGraph;
  readonly systems: readonly System[];
  readonly clients: readonly KnownClient[];
  readonly sources: readonly SourceStatus[];
  /** The category of a data type, or undefined if the configuration gives none. */
  readonly categoryOf: (dataType: string) => string | undefined;
}

/** Everything that is missing from the map, or that keeps a request from reaching data by itself. Sorted. */
export function findGaps(input: GapInput): readonly api.GapView[] {
  return [
    ...undeclaredReceivers(input),
    ...duplicateServices(input),
    ...storesWithoutEraser(input),
    ...teamsWithoutClient(input),
    ...clientsNotApproved(input),
    ...dataTypesWithoutCategory(input),
    ...failingSources(input),
    ...rejectedLabels(input),
  ];
}

const NOTHING = { service: null, team: null, data_type: null } as const;

function undeclaredReceivers({ graph }: GapInput): readonly api.GapView[] {
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

function duplicateServices({ graph }: GapInput): readonly api.GapView[] {
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

function storesWithoutEraser({ systems }: GapInput): readonly api.GapView[] {
  return systems
    .filter((system) => system.answeredBy.kind === 'ticket')
    .map((system) => ({
      kind: 'store-without-eraser',
      service: system.service,
      team: system.team,
      data_type: null,
      message: `${system.service} stores ${system.dataTypes.join(', ')} and nothing answers for it: requests become tickets for team ${system.team}. Declare a client, or connect its database.`,
    }));
}

function teamsWithoutClient({ systems }: GapInput): readonly api.GapView[] {
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

function clientsNotApproved({ clients }: GapInput): readonly api.GapView[] {
  return clients
    .filter((client) => client.state === 'proposed' && !client.stale)
    .map((client) => ({
      kind: 'client-not-approved',
      service: client.service ?? null,
      team: client.team,
      data_type: null,
      message: `The client of team ${client.team} at ${client.address} (${client.protocol}) waits for approval; nothing is sent there. Approve or reject ${client.id}.`,
    }));
}

function dataTypesWithoutCategory({ graph, categoryOf }: GapInput): readonly api.GapView[] {
  const stored = graph.stores.map(({ declaration }) => declaration.dataType);
  const moved = graph.flows.map(({ declaration }) => declaration.dataType);
  return [...new Set([...stored, ...moved])]
    .sort()
    .filter((dataType) => categoryOf(dataType) === undefined)
    .map((dataType) => ({
      ...NOTHING,
      kind: 'data-type-without-category',
      data_type: dataType,
      message: `Data type ${dataType} has no category. Give it one under data_types in the configuration.`,
    }));
}

function failingSources({ graph, sources }: GapInput): readonly api.GapView[] {
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
function forgottenSource(source: SourceStatus, graph: MapGraph): readonly api.GapView[] {
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

function rejectedLabels({ sources }: GapInput): readonly api.GapView[] {
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
