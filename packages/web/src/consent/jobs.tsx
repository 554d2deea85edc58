import { useQuery } from '@tanstack/react-query';
import { Instant } from '../parts/instant.tsx';
import { ListSection } from '../parts/list-section.tsx';
import { Name } from '../parts/name.tsx';
import { jobsQuery } from './queries.ts';

/** Jobs that ran on the data of those alone who agreed. */
export function Jobs() {
  return (
    <ListSection
      title="Jobs that heed it"
      query={useQuery(jobsQuery)}
      none="No job has run through Habeas yet."
      head={['Job', 'Purpose', 'Target', 'Runs', 'Last run']}
      keyOf={({ job, purpose, target }) => [job, purpose, target].join(' ')}
      cells={(one) => [
        <Name key="job">{one.job}</Name>,
        one.purpose,
        <Name key="target">{one.target}</Name>,
        one.runs,
        <Instant key="at" at={one.last_run_at} />,
      ]}
    />
  );
}
