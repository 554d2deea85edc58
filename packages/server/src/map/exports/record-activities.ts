import type { api } from '@habeas/contract';
import type { FlowEntry, StoreEntry } from './map-details.ts';
import type { ActivitySource, RecordFile } from './record-file.ts';
import { type Sensitivity, sensitivityOf } from './sensitive-categories.ts';

/** Something that a service stores or sends, as an activity covers it. */
export interface Holding {
  readonly service: string;
  readonly team: string;
  /** null: it is stored. */
  readonly to: string | null;
  readonly external: boolean;
  readonly data_type: string;
  readonly category: string | null;
  readonly sensitivity: Sensitivity | undefined;
  readonly purpose: string | null;
  readonly subject: string | null;
  readonly retention: string | null;
  readonly region: string | null;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly source: string;
  /** `observed`: a program says it about itself; `declared`: a person wrote it down. */
  readonly evidence: 'observed' | 'declared';
}

export type Activity = ActivitySource & {
  readonly holdings: readonly Holding[];
  /** `recorded`: of the record; `declared`: a purpose that teams declare and the record lacks; `none`: what nobody gave a purpose. */
  readonly origin: 'recorded' | 'declared' | 'none';
};

interface Scope {
  readonly services?: readonly string[] | undefined;
  readonly data?: readonly string[] | undefined;
  readonly declared_purposes?: readonly string[] | undefined;
}

/** The activities of the record with what each covers of the map; then all that none of them covers, so that nothing is left out. */
export function activitiesOf(map: api.MapView, record: RecordFile | undefined): readonly Activity[] {
  const holdings = holdingsOf(map);
  const covered = new Set<Holding>();
  const recorded = (record?.activities ?? []).map((source): Activity => {
    const own = holdings.filter((holding) => covers(source, holding));
    for (const holding of own) covered.add(holding);
    return { ...source, holdings: own, origin: 'recorded' };
  });
  const rest = Map.groupBy(
    holdings.filter((holding) => !covered.has(holding)),
    ({ purpose }) => purpose,
  );
  const purposes = [...rest.keys()].filter((purpose) => purpose !== null).sort();
  const declared = purposes.map(
    (purpose): Activity => ({
      name: `Declared purpose: ${purpose}`,
      purposes: [purpose],
      holdings: rest.get(purpose) ?? [],
      origin: 'declared',
    }),
  );
  const none = rest.get(null);
  return [
    ...recorded,
    ...declared,
    ...(none === undefined
      ? []
      : [{ name: 'Not assigned to an activity', holdings: none, origin: 'none' } satisfies Activity]),
  ];
}

/** Whether a scope covers it: a declared purpose, or a service and its data. A scope without either covers nothing. */
export function covers(scope: Scope, holding: Holding): boolean {
  if (holding.purpose !== null && scope.declared_purposes?.includes(holding.purpose) === true) return true;
  if (scope.services === undefined && scope.data === undefined) return false;
  const isService = scope.services?.includes(holding.service) ?? true;
  return isService && (scope.data?.some((data) => isData(data, holding)) ?? true);
}

/** Services that a scope names and the map does not have. */
export function unknownServices(scope: Scope, map: api.MapView): readonly string[] {
  const known = new Set(map.services.map(({ name }) => name));
  return (scope.services ?? []).filter((service) => !known.has(service));
}

export function holdingsOf(map: api.MapView): readonly Holding[] {
  const outside = new Set(map.services.filter(({ external }) => external).map(({ name }) => name));
  return [
    ...map.stores.map((store) => holdingOf(store, { service: store.service, to: null, external: false })),
    ...map.flows.map((flow) =>
      holdingOf(flow, { service: flow.from, to: flow.to, external: outside.has(flow.to) }),
    ),
  ];
}

function holdingOf(
  entry: StoreEntry | FlowEntry,
  place: Pick<Holding, 'service' | 'to' | 'external'>,
): Holding {
  const { team, data_type, category, purpose, subject, retention, region } = entry;
  const { first_seen, last_seen, source, evidence } = entry;
  return {
    ...place,
    ...{ team, data_type, category, purpose, subject, retention, region },
    ...{ first_seen, last_seen, source, evidence },
    sensitivity: sensitivityOf(category),
  };
}

function isData(data: string, { data_type: type, category }: Holding): boolean {
  return data === type || data === category || category?.startsWith(`${data}.`) === true;
}
