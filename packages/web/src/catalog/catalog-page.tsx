import type { CatalogEntryView } from '@habeas/contract/api';
import { Button, Text } from '@mantine/core';
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { createLazyRoute } from '@tanstack/react-router';
import { BusyButton } from '../parts/busy-button.tsx';
import { Instant } from '../parts/instant.tsx';
import { ListSection } from '../parts/list-section.tsx';
import { Name } from '../parts/name.tsx';
import { ShowMore } from '../parts/show-more.tsx';
import { Failure, Forbidden, PageHeader } from '../parts/states.tsx';
import { useMay } from '../session/session.tsx';
import { CatalogFilters } from './catalog-filters.tsx';
import { EntryPanel, nameOf } from './entry-panel.tsx';
import { exportCatalog } from './export-catalog.ts';
import { catalogQuery } from './queries.ts';
import type { CatalogSearch } from './search.ts';

export const route = createLazyRoute('/catalog')({ component: CatalogPage });

function CatalogPage() {
  return useMay('map:read') ? <Catalog /> : <Forbidden title="Catalog" scope="map:read" />;
}

/** Which fields of which systems hold what, who owns them and who is found by them. */
function Catalog() {
  const { chosen, ...filter } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(catalogQuery(filter));
  const saving = useMutation({ mutationFn: () => exportCatalog(filter) });
  const { data, error } = query;
  const change = (changes: CatalogSearch) =>
    void navigate({ search: (former) => ({ ...former, ...changes }) });
  const entries = data?.pages.flatMap(({ items }) => items);
  const [first] = data?.pages ?? [];
  const entry = entries?.find(({ id }) => id === chosen);
  return (
    <>
      <PageHeader title="Catalog">
        <BusyButton variant="default" busy={saving.isPending} onClick={() => saving.mutate()}>
          Export CSV
        </BusyButton>
      </PageHeader>
      {saving.error !== null && <Failure error={saving.error} />}
      <CatalogFilters
        choices={first?.choices}
        filter={filter}
        change={(changes) => change({ ...changes, chosen: undefined })}
        reset={() => void navigate({ search: {} })}
      />
      {entry !== undefined && <EntryPanel entry={entry} />}
      <ListSection<CatalogEntryView>
        title="Fields"
        acts={
          first !== undefined && (
            <Text size="sm" c="dimmed" role="status">
              {first.total} of them
            </Text>
          )
        }
        query={{ data: entries, error, refetch: query.refetch }}
        none="Nothing fits. Connections have datasets, and services declare what they store; a filter may show less."
        head={[
          'Field',
          'System',
          'Team',
          'Categories',
          'Data types',
          'Identity',
          'Purposes',
          'Kept for',
          'Last seen',
        ]}
        keyOf={({ id }) => id}
        cells={(one) => [
          <Button
            key="field"
            variant="subtle"
            size="compact-sm"
            aria-label={`Tell of ${nameOf(one)}`}
            aria-pressed={one.id === chosen}
            onClick={() => change({ chosen: one.id === chosen ? undefined : one.id })}
          >
            <Name>{one.field === null ? one.data_types.join(', ') : `${one.collection}.${one.field}`}</Name>
          </Button>,
          <Name key="system">{one.system}</Name>,
          <Name key="team">{one.team}</Name>,
          one.categories.length > 0 && <Name key="categories">{one.categories.join(', ')}</Name>,
          one.data_types.length > 0 && <Name key="types">{one.data_types.join(', ')}</Name>,
          one.identity !== null && <Name key="identity">{one.identity}</Name>,
          one.purposes.length > 0 && <Name key="purposes">{one.purposes.join(', ')}</Name>,
          one.retention.length > 0 && <Name key="retention">{one.retention.join(', ')}</Name>,
          one.last_seen !== null && <Instant key="seen" at={one.last_seen} as="day" />,
        ]}
      />
      <ShowMore query={query} shown={entries?.length} />
    </>
  );
}
