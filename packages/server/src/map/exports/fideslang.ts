import type { api } from '@habeas/contract';
import { stringify } from 'yaml';
import { asFidesKey, fidesKeys } from './fides-keys.ts';
import { BASIS_WORDS, CONDITION_WORDS } from './legal-words.ts';
import { DETAIL_NAMES, type FlowEntry, type StoreEntry } from './map-details.ts';
import { type Activity, activitiesOf } from './record-activities.ts';
import type { RecordFile } from './record-file.ts';
import { stampLines } from './stamp-lines.ts';

/** Every text in quotes: Fides reads YAML 1.1, in which `yes` is true and `-1_1` a number. */
const YAML = {
  lineWidth: 0,
  aliasDuplicateObjects: false,
  defaultStringType: 'QUOTE_DOUBLE',
  defaultKeyType: 'PLAIN',
} as const;

/** What YAML 1.1 takes for the end of a line, or takes not at all, and YAML 1.2 for a letter. All of ours stand in quotes, where they can be escaped. */
const NO_LETTERS = /[\x7f-\x9f\u2028\u2029\ufffe\uffff]/g;

/**
 * The services as Fideslang systems (https://ethyca.github.io/fideslang/resources/system/), one YAML document. What Fideslang has
 * no word for stands under `meta.habeas`, so that {@link importFideslang} gives back every store and flow. A privacy
 * declaration needs a data use: it is made for what an activity of the record with `data_use` covers.
 */
export function* fideslangOf(document: api.MapExport, record: RecordFile | undefined): Iterable<string> {
  for (const line of stampLines(document.stamp)) yield `# ${line}\n`;
  const { map } = document;
  if (map.services.length === 0) {
    yield 'system: []\n';
    return;
  }
  yield 'system:\n';
  const names = [...map.services.map(({ name }) => name), ...map.flows.flatMap(({ from, to }) => [from, to])];
  const keys = fidesKeys(names);
  const keyOf = (name: string) => keys.get(name) ?? name;
  const groups = Map.groupBy(map.services, ({ name }) => name);
  const outgoing = Map.groupBy(map.flows, ({ from }) => from);
  const incoming = Map.groupBy(map.flows, ({ to }) => to);
  const stores = Map.groupBy(map.stores, ({ service }) => service);
  const activities = activitiesOf(map, record);
  for (const [name, claims] of [...groups].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const sends = outgoing.get(name) ?? [];
    const system = {
      fides_key: keyOf(name),
      organization_fides_key: 'default_organization',
      name,
      system_type: claims.some(({ external }) => external) ? 'Third Party' : 'Service',
      administrating_department: claims.find(({ team }) => team !== null)?.team ?? 'Not defined',
      egress: flowsOf(sends, ({ to }) => keyOf(to)),
      ingress: flowsOf(incoming.get(name) ?? [], ({ from }) => keyOf(from)),
      privacy_declarations: activities
        .filter(
          ({ data_use: use, holdings }) =>
            use !== undefined && holdings.some((held) => held.service === name),
        )
        .map((activity) => declarationOf(activity, name)),
      meta: {
        habeas: {
          teams: claims.map(({ team }) => team),
          stores: (stores.get(name) ?? []).map((store) => ({ team: store.team, ...kept(store) })),
          transmits: sends.map((flow) => ({ team: flow.team, to: flow.to, ...kept(flow) })),
        },
      },
    };
    yield indented(stringify([system], YAML).replaceAll(NO_LETTERS, escaped));
  }
}

function escaped(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Two steps to the right. */
function indented(lines: string): string {
  return lines
    .split('\n')
    .map((line) => (line === '' ? line : `  ${line}`))
    .join('\n');
}

function kept(entry: StoreEntry | FlowEntry): Readonly<Record<string, string>> {
  const details = DETAIL_NAMES.flatMap((name) =>
    typeof entry[name] === 'string' ? [[name, entry[name]]] : [],
  );
  return {
    data_type: entry.data_type,
    ...(entry.category === null ? {} : { category: entry.category }),
    ...Object.fromEntries(details),
  };
}

function flowsOf(flows: readonly api.FlowView[], other: (flow: api.FlowView) => string) {
  const groups = Map.groupBy(flows, other);
  return [...groups].map(([key, group]) => {
    const categories = categoryKeys(group);
    return {
      fides_key: key,
      type: 'system',
      ...(categories.length > 0 ? { data_categories: categories } : {}),
    };
  });
}

function declarationOf(activity: Activity, service: string) {
  const held = activity.holdings.filter((holding) => holding.service === service);
  const categories = categoryKeys(held);
  const special = held.some(({ sensitivity }) => sensitivity === 'article 9');
  const outside = held.filter(({ external }) => external);
  return {
    name: activity.name,
    data_categories: categories,
    data_use: activity.data_use,
    data_subjects: (activity.subjects ?? []).map(asFidesKey),
    ...(activity.legal_basis === undefined
      ? {}
      : { legal_basis_for_processing: BASIS_WORDS[activity.legal_basis].fides }),
    ...(activity.retention === undefined ? {} : { retention_period: activity.retention }),
    processes_special_category_data: special,
    ...(activity.condition === undefined
      ? {}
      : { special_category_legal_basis: CONDITION_WORDS[activity.condition].fides }),
    data_shared_with_third_parties: outside.length > 0,
    ...(outside.length === 0
      ? {}
      : {
          third_parties: distinct(outside.map(({ to }) => to)).join(', '),
          shared_categories: categoryKeys(outside),
        }),
  };
}

function categoryKeys(entries: readonly { readonly category: string | null }[]): readonly string[] {
  return distinct(entries.map(({ category }) => (category === null ? null : asFidesKey(category))));
}

function distinct(values: readonly (string | null)[]): readonly string[] {
  return [...new Set(values.filter((value) => value !== null))].sort();
}
