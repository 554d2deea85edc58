import { useQuery } from '@tanstack/react-query';
import { Instant } from '../parts/instant.tsx';
import { ListSection } from '../parts/list-section.tsx';
import { Name } from '../parts/name.tsx';
import { jobsQuery } from './queries.ts';

/** Jobs on the data of those alone who agreed, also those that never ran. */
export function Jobs() {
  return (
    <ListSection
      title="Jobs that heed it"
      query={useQuery(jobsQuery)}
      none="There are no jobs."
      head={['Job', 'Purpose', 'Target', 'Runs', 'Last run']}
      keyOf={({ job, purpose, target }) => [job, purpose, target].join(' ')}
      cells={(one) => [
        <Name key="job">{one.job}</Name>,
        one.purpose ?? 'not said',
        <Name key="target">{one.target ?? ''}</Name>,
        one.runs,
        one.last_run_at === null ? 'never' : <Instant key="at" at={one.last_run_at} />,
      ]}
    />
  );
}
