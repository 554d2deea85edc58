import { Instant } from '../parts/instant.tsx';
import { ListSection } from '../parts/list-section.tsx';
import { Name } from '../parts/name.tsx';
import { ToneBadge } from '../parts/tone-badge.tsx';
import { PROGRESS, type ServiceProgress } from './progress.ts';

export interface ProgressTableProps {
  readonly progress: ReadonlyMap<string, ServiceProgress>;
  readonly teamOf: ReadonlyMap<string, string>;
}

/** What the picture shows by colours and signs: how far the request is at each service. */
export function ProgressTable({ progress, teamOf }: ProgressTableProps) {
  return (
    <ListSection<ServiceProgress>
      title="Progress of the request"
      query={{ data: [...progress.values()] }}
      none="It has no task at any service yet."
      head={['Service', 'Team', 'Progress', 'Tasks', 'Last copy ends']}
      keyOf={({ service }) => service}
      cells={({ service, progress: of, tasks, until }) => [
        <Name key="service">{service}</Name>,
        <Name key="team">{teamOf.get(service) ?? tasks[0]?.team ?? 'no team'}</Name>,
        <ToneBadge key="progress" tone={PROGRESS[of].tone}>
          {PROGRESS[of].sign} {PROGRESS[of].words}
        </ToneBadge>,
        <Name key="tasks">{tasks.map(({ kind, state }) => `${kind}: ${state}`).join(', ')}</Name>,
        until !== null && <Instant key="until" at={until} as="day" />,
      ]}
    />
  );
}
