import { sha256Hex } from '../foundation/index.ts';
import type { TransmitDeclaration } from './declaration.ts';
import { sensitivityOf } from './exports/sensitive-categories.ts';
import type { FlowSeen, StoreSeen } from './graph.ts';
import type { KnownClient } from './known-client.ts';
import type { System } from './system.ts';
import { earliest, timeView } from './views.ts';

/** Something of the map that the team that owns it should know. Names of services, teams and data types, nothing personal. */
export interface Alert {
  readonly kind: 'map.sensitive-flow-appeared' | 'map.store-without-eraser' | 'map.client-address-changed';
  /** The same for the same thing of the same kind, and for no other. */
  readonly subject: string;
  readonly data: AlertData;
}

/** What the event of an alert says; `team` is the one that declared it. */
export type AlertData = { readonly team: string; readonly since: string } & Readonly<
  Record<string, string | null>
>;

export interface WatchedMap {
  readonly edges: readonly (FlowSeen | StoreSeen)[];
  readonly systems: readonly System[];
  readonly clients: readonly KnownClient[];
  readonly categoryOf: (dataType: string) => string | undefined;
}

/** All that is worth telling about the map as it is now, each thing once, in the order of its subjects. */
export function alertsOf(map: WatchedMap): readonly Alert[] {
  const found = [
    ...map.edges.flatMap(({ declaration, source, firstSeen: since }) =>
      declaration.kind === 'transmit'
        ? (flowAlert({ declaration, source, since, categoryOf: map.categoryOf }) ?? [])
        : [],
    ),
    ...storeAlerts(map),
    ...clientAlerts(map.clients),
  ];
  return distinctAlerts(found);
}

/** One for each subject, the oldest, sorted by subject: those who store them take locks in one order. */
export function distinctAlerts(alerts: readonly Alert[]): readonly Alert[] {
  const sorted = alerts.toSorted(
    (a, b) => compare(a.kind, b.kind) || compare(a.subject, b.subject) || compare(a.data.since, b.data.since),
  );
  return sorted.filter((alert, index) => {
    const before = sorted[index - 1];
    return before?.kind !== alert.kind || before.subject !== alert.subject;
  });
}

/** Of a flow whose data needs special care. Which details its declaration has, and which source says it, makes no other flow. */
export function flowAlert(options: {
  readonly declaration: TransmitDeclaration;
  readonly source: string;
  /** In milliseconds. */
  readonly since: number;
  readonly categoryOf: (dataType: string) => string | undefined;
}): Alert | undefined {
  const { declaration, source, since } = options;
  const { team, service, toService, dataType } = declaration;
  const category = options.categoryOf(dataType) ?? null;
  const sensitivity = sensitivityOf(category);
  if (sensitivity === undefined) return undefined;
  return {
    kind: 'map.sensitive-flow-appeared',
    subject: subjectOf(team, service, toService, dataType),
    data: {
      team,
      service,
      to_service: toService,
      data_type: dataType,
      category,
      sensitivity,
      source,
      since: timeView(since),
    },
  };
}

function storeAlerts({ edges, systems, clients }: WatchedMap): readonly Alert[] {
  const stores = edges.filter(({ declaration }) => declaration.kind === 'store');
  const storesOf = Map.groupBy(stores, ({ known }) => known.owner);
  return systems.flatMap((system): Alert[] => {
    const { service, team, dataTypes, answeredBy } = system;
    if (answeredBy.kind !== 'ticket') return [];
    const waiting = clients.find(
      (client) =>
        client.state === 'proposed' &&
        !client.stale &&
        client.team === team &&
        (client.service ?? service) === service,
    );
    return [
      {
        kind: 'map.store-without-eraser',
        subject: subjectOf(team, service),
        data: {
          team,
          service,
          data_types: dataTypes.join(', '),
          reason: answeredBy.reason,
          client: waiting?.id ?? null,
          since: timeView(earliest(storesOf.get(JSON.stringify([service, team])) ?? [])),
        },
      },
    ];
  });
}

/** A client that is declared now, where another one was known before: for the same service, or for all of the team. */
function clientAlerts(clients: readonly KnownClient[]): readonly Alert[] {
  const places = Map.groupBy(clients, ({ team, service }) => JSON.stringify([team, service ?? null]));
  return [...places.values()].flatMap((group) =>
    group.flatMap((client): Alert[] => {
      if (client.stale) return [];
      const before = group
        .filter(({ firstSeen }) => firstSeen < client.firstSeen)
        .toSorted((a, b) => b.firstSeen.getTime() - a.firstSeen.getTime())[0];
      if (before === undefined) return [];
      const { id, team, service = null, address, protocol, state } = client;
      return [
        {
          kind: 'map.client-address-changed',
          subject: subjectOf(id),
          data: {
            team,
            service,
            client: id,
            address,
            protocol,
            state,
            address_before: before.address,
            since: client.firstSeen.toISOString(),
          },
        },
      ];
    }),
  );
}

/** A hash, because labels may be longer than a key of an index. */
function subjectOf(...parts: readonly string[]): string {
  return sha256Hex(JSON.stringify(parts));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
