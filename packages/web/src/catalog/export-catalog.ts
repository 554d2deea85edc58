import type { CatalogEntryView, CatalogFilter } from '@habeas/contract/api';
import { listCatalog } from '../api/operations.ts';
import { toCsv } from '../parts/csv.ts';
import { saveFile } from '../parts/save-file.ts';

const PAGE = 500;

const COLUMNS = {
  system: ({ system }) => system,
  connection_kind: ({ connection_kind: kind }) => kind,
  service: ({ service }) => service,
  team: ({ team }) => team,
  dataset: ({ dataset }) => dataset,
  collection: ({ collection }) => collection,
  field: ({ field }) => field,
  data_types: ({ data_types: types }) => types.join(' '),
  categories: ({ categories }) => categories.join(' '),
  identity: ({ identity }) => identity,
  source: ({ source }) => source,
  purposes: ({ purposes }) => purposes.join(' '),
  retention: ({ retention }) => retention.join(' '),
  last_seen: ({ last_seen: at }) => at,
} satisfies Readonly<Record<string, (entry: CatalogEntryView) => string | null>>;

/** Saves every entry that fits, not only those that are shown. */
export async function exportCatalog(filter: CatalogFilter): Promise<void> {
  const entries: CatalogEntryView[] = [];
  let cursor: string | undefined;
  do {
    const page = await listCatalog({
      query: { ...filter, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) },
    });
    entries.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  const rows = entries.map((entry) => Object.values(COLUMNS).map((read) => read(entry)));
  saveFile('catalog.csv', 'text/csv', toCsv(Object.keys(COLUMNS), rows));
}
