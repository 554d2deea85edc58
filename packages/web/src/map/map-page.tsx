import type { MapView } from '@habeas/contract/api';
import { Group, SegmentedControl, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { createLazyRoute } from '@tanstack/react-router';
import { Instant } from '../parts/instant.tsx';
import { Empty, Failure, Loading, PageHeader } from '../parts/states.tsx';
import { ExportMenu } from './export-menu.tsx';
import { MapDrawing } from './map-drawing.tsx';
import { MapFilters } from './map-filters.tsx';
import { MapGaps } from './map-gaps.tsx';
import { MapTable } from './map-table.tsx';
import { ProgressBar } from './progress-bar.tsx';
import { mapQuery } from './queries.ts';
import type { MapSearch } from './search.ts';
import { useProgress } from './use-progress.ts';
import type { MapViewProps } from './view-props.ts';

export const route = createLazyRoute('/map')({ component: MapPage });

const VIEWS = [
  { value: 'graph', label: 'Picture' },
  { value: 'table', label: 'Table' },
  { value: 'gaps', label: 'Gaps' },
];

/** Where personal data is and where it goes, as a picture and as a table that says the same. */
function MapPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data: map, error, refetch, isPlaceholderData } = useQuery(mapQuery(search));
  const { progress, error: unknown } = useProgress(search.request);
  const change = (changes: Partial<MapSearch>) =>
    void navigate({ search: (former) => defined({ ...former, ...changes }) });
  return (
    <>
      <PageHeader title="Data map">
        <SegmentedControl
          aria-label="Shown as"
          data={VIEWS}
          value={search.view ?? 'graph'}
          onChange={(view) => change({ view: view === 'graph' ? undefined : (view as 'table') })}
        />
        {map !== undefined && <ExportMenu map={map} search={search} progress={progress} />}
      </PageHeader>
      <MapFilters map={map} search={search} change={change} reset={() => void navigate({ search: {} })} />
      {error !== null ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : map === undefined ? (
        <Loading />
      ) : (
        <div aria-busy={isPlaceholderData}>
          <Summary map={map} />
          {search.request !== undefined && (
            <ProgressBar
              request={search.request}
              progress={progress}
              error={unknown}
              takeOff={() => change({ request: undefined })}
            />
          )}
          <Shown map={map} search={search} change={change} progress={progress} />
        </div>
      )}
    </>
  );
}

function Shown(props: MapViewProps) {
  const { map, search } = props;
  if (search.view === 'gaps') return <MapGaps search={search} change={props.change} />;
  if (map.services.length === 0 && map.changes === null)
    return (
      <Empty title="There is nothing on this map">
        Services declare what they transmit and store by metrics or files; a filter or an earlier moment may
        show less.
      </Empty>
    );
  return search.view === 'table' ? <MapTable {...props} /> : <MapDrawing {...props} />;
}

function Summary({ map: { counts, as_of: asOf, changes } }: { readonly map: MapView }) {
  return (
    <Group gap="xs" mb="sm" role="status">
      <Text size="sm" c="dimmed">
        {counts.services} services of {counts.teams} teams, {counts.data_types} data types, {counts.flows}{' '}
        flows, {counts.gaps} gaps, as of <Instant at={asOf} />
        {changes !== null &&
          `; compared: ${changes.added.length} added, ${changes.removed.length} removed, ${changes.changed.length} changed`}
      </Text>
    </Group>
  );
}

function defined(search: MapSearch): MapSearch {
  return Object.fromEntries(
    Object.entries(search).filter(([, value]) => value !== undefined && value !== ''),
  );
}
