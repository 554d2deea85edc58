import { useQuery } from '@tanstack/react-query';
import { listWebhooks } from '../api/operations.ts';
import { Instant } from '../parts/instant.tsx';
import { ListSection } from '../parts/list-section.tsx';
import { Name, Words } from '../parts/name.tsx';
import { ToneBadge } from '../parts/tone-badge.tsx';

/** Programs that are told of what happens, and what they did not take. */
export function Webhooks() {
  const query = useQuery({
    queryKey: ['webhooks'],
    queryFn: async ({ signal }) => (await listWebhooks({}, signal)).items,
  });
  return (
    <ListSection
      title="Webhooks"
      query={query}
      none="No webhook is configured."
      head={['Name', 'Host', 'State', 'Waiting', 'Given up', 'Last failure']}
      keyOf={({ name }) => name}
      cells={(one) => [
        <Name key="name">{one.name}</Name>,
        <Name key="host">{one.host}</Name>,
        <ToneBadge key="state" tone={one.disabled_at !== null || one.failing_since !== null ? 'bad' : 'good'}>
          {one.disabled_at !== null ? 'disabled' : one.failing_since !== null ? 'failing' : 'good'}
        </ToneBadge>,
        one.waiting,
        one.dead_letters,
        <span key="error">
          {one.error !== null && <Words>{one.error}</Words>}{' '}
          {one.failing_since !== null && <Instant at={one.failing_since} as="distance" />}
        </span>,
      ]}
    />
  );
}
