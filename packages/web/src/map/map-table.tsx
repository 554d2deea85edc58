import type { FlowView, StoreView } from '@habeas/contract/api';
import { Button, Stack } from '@mantine/core';
import { useState } from 'react';
import { Instant } from '../parts/instant.tsx';
import { ListSection } from '../parts/list-section.tsx';
import { Name } from '../parts/name.tsx';
import { MapGaps } from './map-gaps.tsx';
import { MapTableChanges } from './map-table-changes.tsx';
import { ProgressTable } from './progress-table.tsx';
import type { MapViewProps } from './view-props.ts';

const PAGE = 200;

/** The same as the picture, for everybody who reads better than they see: every flow and every store, with who says so. */
export function MapTable({ map, search, change, progress }: MapViewProps) {
  const [shown, setShown] = useState(PAGE);
  const teamOf = new Map(map.services.map(({ name, team }) => [name, team ?? 'no team']));
  const wanted = search.find?.toLowerCase() ?? '';
  const has = (...names: readonly (string | undefined)[]) =>
    names.some((name) => name?.toLowerCase().includes(wanted));
  const flows = map.flows.filter(({ from, to }) => has(from, to, teamOf.get(from), teamOf.get(to)));
  const stores = map.stores.filter(({ service }) => has(service, teamOf.get(service)));
  return (
    <Stack gap="xl">
      {progress !== undefined && <ProgressTable progress={progress} teamOf={teamOf} />}
      {map.changes !== null && <MapTableChanges changes={map.changes} />}
      <ListSection<FlowView>
        title={`Flows (${flows.length})`}
        query={{ data: flows.slice(0, shown) }}
        none="No flow fits."
        head={['From', 'Team', 'To', 'Team of the receiver', 'Data type', 'Category', 'Since', 'Seen']}
        keyOf={(flow) =>
          [flow.from, flow.to, flow.data_type, flow.source, flow.team, flow.first_seen].join('\0')
        }
        cells={(flow) => [
          <Name key="from">{flow.from}</Name>,
          <Name key="team">{teamOf.get(flow.from) ?? flow.team}</Name>,
          <Name key="to">{flow.to}</Name>,
          <Name key="receiver">{teamOf.get(flow.to) ?? 'no team'}</Name>,
          <Name key="type">{flow.data_type}</Name>,
          flow.category !== null && <Name key="category">{flow.category}</Name>,
          <Instant key="since" at={flow.first_seen} as="day" />,
          <Name key="seen">{`${flow.evidence}, ${flow.source}`}</Name>,
        ]}
      />
      <ListSection<StoreView>
        title={`Stores (${stores.length})`}
        query={{ data: stores.slice(0, shown) }}
        none="No store fits."
        head={['Service', 'Team', 'Data type', 'Category', 'Retention', 'Region', 'Since', 'Seen']}
        keyOf={(store) =>
          [store.service, store.data_type, store.source, store.team, store.first_seen].join('\0')
        }
        cells={(store) => [
          <Name key="service">{store.service}</Name>,
          <Name key="team">{store.team}</Name>,
          <Name key="type">{store.data_type}</Name>,
          store.category !== null && <Name key="category">{store.category}</Name>,
          store.retention,
          store.region,
          <Instant key="since" at={store.first_seen} as="day" />,
          <Name key="seen">{`${store.evidence}, ${store.source}`}</Name>,
        ]}
      />
      <MapGaps search={search} change={change} />
      {Math.max(flows.length, stores.length) > shown && (
        <Button variant="default" onClick={() => setShown(shown + PAGE)}>
          Show more
        </Button>
      )}
    </Stack>
  );
}
