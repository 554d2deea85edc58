import type { GapView } from '@habeas/contract/api';
import { Switch, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Instant } from '../parts/instant.tsx';
import { ListSection } from '../parts/list-section.tsx';
import { Name, Words } from '../parts/name.tsx';
import { ToneBadge } from '../parts/tone-badge.tsx';
import { useGapActs } from './gap-acts.tsx';
import { gapsQuery } from './queries.ts';
import type { MapViewProps } from './view-props.ts';

/** What the map does not know or only proposes, what to do about it, and what people decided. */
export function MapGaps({ search, change }: Pick<MapViewProps, 'search' | 'change'>) {
  const query = useQuery(gapsQuery(search));
  const [actsOn, dialogs] = useGapActs();
  return (
    <>
      <ListSection<GapView>
        title="Gaps"
        acts={
          <Switch
            label="Also what is approved"
            checked={search.approved === 'true'}
            onChange={({ currentTarget: { checked } }) => change({ approved: checked ? 'true' : undefined })}
          />
        }
        query={query}
        none="The map has no gap."
        head={['Kind', 'What is missing, and what to do', 'Service', 'Team', 'Data type', 'Decision', 'Acts']}
        keyOf={({ kind, service, team, data_type: type, message }) =>
          [kind, service, team, type, message].join('\0')
        }
        cells={(gap) => [
          gap.kind,
          <Words key="what">{gap.message}</Words>,
          gap.service !== null && <Name key="service">{gap.service}</Name>,
          gap.team !== null && <Name key="team">{gap.team}</Name>,
          gap.data_type !== null && <Name key="type">{gap.data_type}</Name>,
          <GapDecision key="decision" gap={gap} />,
          actsOn(gap),
        ]}
      />
      {dialogs}
    </>
  );
}

/** What somebody decided, why, and when. */
export function GapDecision({ gap: { decision, proposed_category: proposed } }: { readonly gap: GapView }) {
  if (decision === null)
    return proposed === null ? null : (
      <Text size="sm">
        Proposed: <Name>{proposed}</Name>
      </Text>
    );
  const { category, reason, decided_by: actor, decided_at: at } = decision;
  return (
    <Text size="sm" component="div">
      <ToneBadge tone={decision.decision === 'approved' ? 'good' : 'bad'}>{decision.decision}</ToneBadge>{' '}
      {category !== null && (
        <>
          as <Name>{category}</Name>:{' '}
        </>
      )}
      <Words>{reason}</Words> (<Name>{actor}</Name>, <Instant at={at} as="day" />)
    </Text>
  );
}
