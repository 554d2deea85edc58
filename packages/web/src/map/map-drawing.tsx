import { Alert, Grid } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { GraphView } from '../graph/graph-view.tsx';
import { collapse } from './collapse.ts';
import { edgesOf, nodesOf } from './drawn.ts';
import { Legend } from './legend.tsx';
import { MapNodeBox } from './map-node.tsx';
import { reachQuery } from './queries.ts';
import { openTeams, withTeams } from './search.ts';
import { SelectionPanel } from './selection-panel.tsx';
import { looksOf } from './team-look.ts';
import type { MapViewProps } from './view-props.ts';

const NODE_TYPES = { map: MapNodeBox };

/** The map as a picture, with the panel of what is chosen and the legend of teams beside it. */
export function MapDrawing({ map, search, change, progress }: MapViewProps) {
  const open = openTeams(search.open);
  const drawn = useMemo(() => collapse(map, openTeams(search.open)), [map, search.open]);
  const looks = useMemo(() => looksOf(drawn.nodes.map(({ team }) => team)), [drawn]);
  const { data: reach } = useQuery({
    ...reachQuery(search.reach ?? '', search),
    enabled: search.reach !== undefined,
  });
  const reached = useMemo(
    () =>
      reach === undefined
        ? undefined
        : new Set([reach.service, ...reach.reached.map(({ service }) => service)]),
    [reach],
  );
  const { find, chosen } = search;
  const nodes = useMemo(
    () => nodesOf(drawn, { looks, reached, find, chosen, gaps: map.gaps, progress }),
    [drawn, looks, reached, find, chosen, map.gaps, progress],
  );
  const edges = useMemo(() => edgesOf(drawn, { looks, reached, chosen }), [drawn, looks, reached, chosen]);
  const toggle = (team: string) => {
    const next = new Set(open);
    if (!next.delete(team)) next.add(team);
    change({ open: withTeams(next), chosen: undefined });
  };
  return (
    <Grid>
      <Grid.Col span={{ base: 12, md: 9 }}>
        <Notice drawn={drawn} />
        <GraphView
          label="The map as a picture; the table says the same"
          nodes={nodes}
          edges={edges}
          nodeTypes={NODE_TYPES}
          height={560}
          select={(id) => change({ chosen: id })}
        />
        <Legend looks={looks} open={open} toggle={toggle} compared={map.changes !== null} />
      </Grid.Col>
      <Grid.Col span={{ base: 12, md: 3 }}>
        <SelectionPanel
          map={map}
          drawn={drawn}
          search={search}
          change={change}
          open={open}
          toggle={toggle}
          reach={reach}
        />
      </Grid.Col>
    </Grid>
  );
}

function Notice({ drawn: { closed, left } }: { readonly drawn: ReturnType<typeof collapse> }) {
  if (!closed && left.nodes === 0 && left.links === 0) return null;
  return (
    <Alert color="yellow" mb="sm" role="status" title="Not everything is drawn">
      {closed && 'Teams are shown closed, because open ones would be more than can be read. '}
      {left.links > 0 && `${left.nodes} teams and ${left.links} links with the least data are left out. `}
      The table has all of it; a filter makes the picture smaller.
    </Alert>
  );
}
