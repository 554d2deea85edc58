import type { api } from '@habeas/contract';
import { stringify } from 'yaml';
import { type DeclaredService, HabeasError } from '../../foundation/index.ts';
import { DETAIL_NAMES, type FlowEntry, type StoreEntry } from './map-details.ts';

/** What an import brings: services as the configuration takes them, and the categories of their data types. */
export interface Imported {
  readonly declarations: readonly DeclaredService[];
  /** Data type → category. */
  readonly dataTypes: Readonly<Record<string, string>>;
  /** What could not be taken over, a sentence each. */
  readonly notes: readonly string[];
}

/** The declarations that a map was made of. Who sends data to a service that nobody declared declares that. */
export function declarationsOf(map: Pick<api.MapView, 'services' | 'stores' | 'flows'>): Imported {
  const services = new Map<
    string,
    { team: string; service: string; stores: StoreEntry[]; flows: FlowEntry[] }
  >();
  const of = (service: string, team: string) => {
    const key = JSON.stringify([service, team]);
    const entry = services.get(key) ?? { team, service, stores: [], flows: [] };
    services.set(key, entry);
    return entry;
  };
  for (const { name, team } of map.services) if (team !== null) of(name, team);
  for (const store of map.stores) of(store.service, store.team).stores.push(store);
  for (const flow of map.flows) of(flow.from, flow.team).flows.push(flow);
  const sorted = [...services].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    declarations: sorted.map(([, { team, service, stores, flows }]) => ({
      team,
      service,
      stores: distinct(stores.map(pick)),
      transmits: distinct(flows.map((flow) => ({ to_service: flow.to, ...pick(flow) }))),
    })),
    dataTypes: categoriesOf([...map.stores, ...map.flows]),
    notes: [],
  };
}

/** What an import brings as a part of `habeas.yaml`. */
export function importYaml({ declarations, dataTypes, notes }: Imported): string {
  const services = declarations.map(({ team, service, stores, transmits }) => ({
    team,
    service,
    ...(stores.length === 0 ? {} : { stores: stores.map(short) }),
    ...(transmits.length === 0 ? {} : { transmits }),
  }));
  const head = notes.map((note) => `# ${note.replaceAll(/\s+/g, ' ')}\n`).join('');
  const value = {
    map: { declarations: services },
    ...(Object.keys(dataTypes).length === 0 ? {} : { data_types: dataTypes }),
  };
  return head + stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** Throws BAD_INPUT if one data type was given two categories. */
export function categoriesOf(
  entries: readonly { readonly data_type: string; readonly category: string | null }[],
): Readonly<Record<string, string>> {
  const categories = new Map<string, string>();
  for (const { data_type: type, category } of entries) {
    if (category === null) continue;
    const known = categories.get(type) ?? category;
    if (known !== category) {
      throw new HabeasError(
        'BAD_INPUT',
        `The data type "${type}" has two categories, ${known} and ${category}. Give one of them another name.`,
      );
    }
    categories.set(type, category);
  }
  // A data type may be called `__proto__`; assigning it would set a prototype.
  return Object.fromEntries([...categories].sort(([a], [b]) => (a < b ? -1 : 1)));
}

type Written = Exclude<DeclaredService['stores'][number], string>;

function pick(entry: StoreEntry | FlowEntry): Written {
  const details = DETAIL_NAMES.flatMap((name) => (entry[name] === null ? [] : [[name, entry[name]]]));
  return { data_type: entry.data_type, ...Object.fromEntries(details) };
}

function short(store: DeclaredService['stores'][number]): DeclaredService['stores'][number] {
  return typeof store !== 'string' && Object.keys(store).length === 1 ? store.data_type : store;
}

/** Each once, sorted by what it says. */
export function distinct<Item extends object>(items: readonly Item[]): Item[] {
  const byKey = new Map(items.map((item) => [JSON.stringify(item), item]));
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}
