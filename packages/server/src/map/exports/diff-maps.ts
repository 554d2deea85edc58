import type { api } from '@habeas/contract';
import { HabeasError } from '../../foundation/index.ts';
import { type Sensitivity, sensitivityOf } from './sensitive-categories.ts';

/** What `--fail-on` takes; docs/map-exports.md lists exactly these. */
export const CHANGE_KINDS = {
  'new-sensitive':
    'a store or a flow of a sensitive category that was not there, or whose category became one',
  'new-unclassified':
    'a new store or flow of a data type without a category: nobody can say whether it is sensitive',
  'new-external': 'a new flow to a service outside the organization, or to one that nobody declared',
  'new-flow': 'any new flow',
  removed: 'a store or a flow that is not there any more',
} as const;

export type ChangeKind = keyof typeof CHANGE_KINDS;

/** One store or one flow; of the same one from several sources or teams there is one. */
export interface MapEntry {
  readonly service: string;
  /** null: it is a store. */
  readonly to: string | null;
  readonly data_type: string;
  readonly category: string | null;
  readonly sensitivity: Sensitivity | null;
  /** Whether data leaves the organization by it. */
  readonly external: boolean;
}

/** What is other in a later export. What changed between two moments of one server is `MapChange` of the API, which knows who says so. */
export interface ExportChange extends MapEntry {
  readonly change: 'added' | 'removed' | 'changed';
  /** Of a changed one: the category that it had. */
  readonly was: string | null;
  /** Which kinds this change is of; none for a new store that is not sensitive. */
  readonly kinds: readonly ChangeKind[];
}

export interface MapDiff {
  readonly before: api.ExportStamp;
  readonly after: api.ExportStamp;
  readonly services: { readonly added: readonly string[]; readonly removed: readonly string[] };
  /** Sensitive ones first, then by service, receiver and data type. */
  readonly changes: readonly ExportChange[];
}

/** What is other in a later map. Throws BAD_INPUT if the two were not asked for the same part of the map. */
export function diffMaps(before: api.MapExport, after: api.MapExport): MapDiff {
  const [one, other] = [before, after].map(({ stamp }) => filterText(stamp.filter));
  if (one !== other) {
    throw new HabeasError(
      'BAD_INPUT',
      `The two exports are of different parts of the map: one has the filter ${one}, the other ${other}. Export both with the same one.`,
    );
  }
  const [old, now] = [entriesOf(before.map), entriesOf(after.map)];
  const changes = [
    ...[...now].flatMap(([key, entry]) => changeOf(old.get(key), entry)),
    ...[...old].flatMap(([key, entry]) => (now.has(key) ? [] : [removed(entry)])),
  ];
  return {
    before: before.stamp,
    after: after.stamp,
    services: compareServices(before.map, after.map),
    changes: changes.sort((a, b) => compareTexts(sortKey(a), sortKey(b))),
  };
}

/** Two moments of one part of the map are what a comparison is made for. */
function filterText({ as_of: _, ...filter }: api.ExportStamp['filter']): string {
  return JSON.stringify(filter);
}

/** The changes that are of one of these kinds. */
export function forbiddenChanges(diff: MapDiff, kinds: readonly ChangeKind[]): readonly ExportChange[] {
  return diff.changes.filter((change) => change.kinds.some((kind) => kinds.includes(kind)));
}

function entriesOf(map: api.MapView): ReadonlyMap<string, MapEntry> {
  const outside = new Set(map.services.filter(({ external }) => external).map(({ name }) => name));
  const stores = map.stores.map((store) => entryOf({ ...store, to: null }, false));
  const flows = map.flows.map((flow) => entryOf({ ...flow, service: flow.from }, outside.has(flow.to)));
  return new Map([...stores, ...flows].map((entry) => [keyOf(entry), entry]));
}

function entryOf(
  source: Pick<MapEntry, 'service' | 'to' | 'data_type' | 'category'>,
  external: boolean,
): MapEntry {
  const { service, to, data_type, category } = source;
  return { service, to, data_type, category, sensitivity: sensitivityOf(category) ?? null, external };
}

function changeOf(was: MapEntry | undefined, entry: MapEntry): readonly ExportChange[] {
  if (was === undefined) return [{ ...entry, change: 'added', was: null, kinds: kindsOf(entry) }];
  const becameExternal = entry.external && !was.external;
  if (was.category === entry.category && !becameExternal) return [];
  const kinds: ChangeKind[] = [];
  if (entry.sensitivity !== null && was.sensitivity === null) kinds.push('new-sensitive');
  if (becameExternal) kinds.push('new-external');
  return [{ ...entry, change: 'changed', was: was.category, kinds }];
}

function kindsOf(entry: MapEntry): readonly ChangeKind[] {
  const is: Readonly<Record<ChangeKind, boolean>> = {
    'new-sensitive': entry.sensitivity !== null,
    'new-unclassified': entry.category === null,
    'new-external': entry.external,
    'new-flow': entry.to !== null,
    removed: false,
  };
  return (Object.keys(CHANGE_KINDS) as ChangeKind[]).filter((kind) => is[kind]);
}

function removed(entry: MapEntry): ExportChange {
  return { ...entry, change: 'removed', was: null, kinds: ['removed'] };
}

function compareServices(before: api.MapView, after: api.MapView): MapDiff['services'] {
  const [old, now] = [before, after].map((map) => new Set(map.services.map(({ name }) => name)));
  return {
    added: [...(now ?? [])].filter((name) => old?.has(name) !== true).sort(),
    removed: [...(old ?? [])].filter((name) => now?.has(name) !== true).sort(),
  };
}

function keyOf({ service, to, data_type: dataType }: MapEntry): string {
  return JSON.stringify([service, to, dataType]);
}

function sortKey(change: ExportChange): string {
  return JSON.stringify([
    change.sensitivity === null ? 1 : 0,
    change.service,
    change.to ?? '',
    change.data_type,
  ]);
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
