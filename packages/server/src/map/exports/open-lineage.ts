import type { api } from '@habeas/contract';
import { DETAIL_NAMES, type FlowEntry, type StoreEntry } from './map-details.ts';
import { sensitivityOf } from './sensitive-categories.ts';

const SPEC = 'https://openlineage.io/spec/2-0-2/OpenLineage.json';
const FACETS = 'https://openlineage.io/spec/facets';
/** Who makes the events; OpenLineage wants a URI. */
const PRODUCER = 'urn:habeas';

/**
 * The map as OpenLineage events (https://openlineage.io, spec 2-0-2), one JSON object a line: first a job event that says what the
 * export is; then for each data type of each service a dataset event with its team, category and details; then for each
 * service that sends a job event from its datasets to those of the receivers.
 */
export function* openLineageOf({ stamp, map }: api.MapExport): Iterable<string> {
  const namespace = `habeas://${encodeURIComponent(stamp.organization)}`;
  const base = { eventTime: stamp.as_of, producer: PRODUCER };
  const dataset = (service: string, dataType: string) => ({
    namespace,
    name: `${encodeURIComponent(service)}/${encodeURIComponent(dataType)}`,
  });
  const jobEvent = { ...base, schemaURL: `${SPEC}#/$defs/JobEvent` };
  const about = { _producer: PRODUCER, _schemaURL: `${SPEC}#/$defs/JobFacet`, ...stamp };
  yield line({
    ...jobEvent,
    job: { namespace, name: 'data map', facets: { habeas_export: about } },
    inputs: [],
    outputs: [],
  });

  const teams = Map.groupBy(map.services, ({ name }) => name);
  const stores = Map.groupBy(map.stores, (store) => JSON.stringify([store.service, store.data_type]));
  const flows = Map.groupBy(map.flows, ({ from }) => from);
  const seen = new Map<string, { service: string; dataType: string; category: string | null }>();
  const see = (service: string, entry: StoreEntry | FlowEntry) => {
    const { data_type: dataType, category } = entry;
    seen.set(JSON.stringify([service, dataType]), { service, dataType, category });
  };
  for (const store of map.stores) see(store.service, store);
  for (const flow of map.flows) {
    see(flow.from, flow);
    see(flow.to, flow);
  }
  for (const [key, { service, dataType, category }] of [...seen].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const owners = (teams.get(service) ?? []).flatMap(({ team }) => team ?? []);
    yield line({
      ...base,
      schemaURL: `${SPEC}#/$defs/DatasetEvent`,
      dataset: {
        ...dataset(service, dataType),
        facets: {
          ...(owners.length === 0 ? {} : { ownership: ownership(owners) }),
          tags: tags(category, stores.get(key)),
        },
      },
    });
  }
  for (const [service, sent] of [...flows].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const inputs = new Map(sent.map(({ data_type: type }) => [type, dataset(service, type)]));
    const outputs = new Map(
      sent.map((flow) => [JSON.stringify([flow.to, flow.data_type]), dataset(flow.to, flow.data_type)]),
    );
    yield line({
      ...jobEvent,
      job: { namespace, name: encodeURIComponent(service) },
      inputs: [...inputs.values()],
      outputs: [...outputs.values()],
    });
  }
}

function ownership(owners: readonly string[]) {
  return {
    _producer: PRODUCER,
    _schemaURL: `${FACETS}/1-0-0/OwnershipDatasetFacet.json#/$defs/OwnershipDatasetFacet`,
    owners: owners.map((team) => ({ name: `team:${team}`, type: 'MAINTAINER' })),
  };
}

function tags(category: string | null, stores: readonly StoreEntry[] | undefined) {
  const sensitivity = sensitivityOf(category);
  const details = DETAIL_NAMES.flatMap((name) => {
    const values = new Set((stores ?? []).flatMap((store) => store[name] ?? []));
    return [...values].map((value) => ({ key: name, value, source: 'habeas' }));
  });
  return {
    _producer: PRODUCER,
    _schemaURL: `${FACETS}/2-0-3/TagsDatasetFacet.json#/$defs/TagsDatasetFacet`,
    tags: [
      { key: 'personal_data', value: 'true', source: 'habeas' },
      { key: 'stored', value: String(stores !== undefined), source: 'habeas' },
      ...(category === null ? [] : [{ key: 'data_category', value: category, source: 'habeas' }]),
      ...(sensitivity === undefined ? [] : [{ key: 'sensitive', value: sensitivity, source: 'habeas' }]),
      ...details,
    ],
  };
}

function line(event: object): string {
  return `${JSON.stringify(event)}\n`;
}
