import type { GapView } from '@habeas/contract/api';
import { ListSection } from '../parts/list-section.tsx';
import { Name, Words } from '../parts/name.tsx';

/** What the map does not know, and what to do about it. */
export function MapGaps({ gaps }: { readonly gaps: readonly GapView[] }) {
  return (
    <ListSection
      title="Gaps"
      query={{ data: gaps }}
      none="The map has no gap."
      head={['Kind', 'What is missing, and what to do', 'Service', 'Team', 'Data type']}
      keyOf={({ kind, service, team, data_type: type, message }) =>
        [kind, service, team, type, message].join('\0')
      }
      cells={(gap) => [
        gap.kind,
        <Words key="what">{gap.message}</Words>,
        gap.service !== null && <Name key="service">{gap.service}</Name>,
        gap.team !== null && <Name key="team">{gap.team}</Name>,
        gap.data_type !== null && <Name key="type">{gap.data_type}</Name>,
      ]}
    />
  );
}
