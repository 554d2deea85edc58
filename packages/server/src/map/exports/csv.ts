import type { api } from '@habeas/contract';
import { csvLine } from '../../foundation/index.ts';
import { DETAIL_NAMES, type FlowEntry, type StoreEntry } from './map-details.ts';
import { sensitivityOf } from './sensitive-categories.ts';
import { stampLines } from './stamp-lines.ts';

const HEAD = [
  'row',
  'service',
  'to_service',
  'team',
  'data_type',
  'category',
  'sensitive',
  ...DETAIL_NAMES,
  'answered_by',
  'first_seen',
  'last_seen',
  'evidence',
  'source',
  'message',
] as const;

type Cells = { readonly [name in (typeof HEAD)[number]]?: string | null | undefined };

/** One table of everything (RFC 4180): `row` says what a line is, and the lines `about` what the export is. */
export function* csvOf({ stamp, map }: api.MapExport): Iterable<string> {
  yield csvLine(HEAD);
  for (const message of stampLines(stamp)) yield line({ row: 'about', message });
  for (const { name, team, stores, ...service } of map.services)
    yield line({
      row: 'service',
      service: name,
      team,
      data_type: stores.join(' '),
      ...timesOf(service),
      answered_by: service.answered_by,
    });
  for (const store of map.stores) yield line({ row: 'store', service: store.service, ...dataOf(store) });
  for (const flow of map.flows)
    yield line({ row: 'flow', service: flow.from, to_service: flow.to, ...dataOf(flow) });
  for (const { kind, service, team, data_type, message } of map.gaps)
    yield line({ row: 'gap', service, team, data_type, source: kind, message });
}

function dataOf(entry: StoreEntry | FlowEntry): Cells {
  const details = Object.fromEntries(DETAIL_NAMES.map((name) => [name, entry[name]]));
  const { team, data_type, category, evidence, source } = entry;
  return {
    team,
    data_type,
    category,
    sensitive: sensitivityOf(category),
    ...details,
    evidence,
    source,
    ...timesOf(entry),
  };
}

function timesOf(entry: { readonly first_seen: string | null; readonly last_seen: string | null }): Cells {
  return { first_seen: entry.first_seen, last_seen: entry.last_seen };
}

function line(cells: Cells): string {
  return csvLine(HEAD.map((name) => cells[name]));
}
