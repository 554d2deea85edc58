import type { RequestView } from '@habeas/contract/api';
import { Text } from '@mantine/core';
import { Instant } from '../parts/instant.tsx';
import { ToneBadge } from '../parts/tone-badge.tsx';

const SOON_MILLISECONDS = 7 * 86_400_000;

/** When a request has to be answered, and whether that is near or past; of one that has ended, the day alone. */
export function DueBy({ request }: { readonly request: RequestView }) {
  const { due_at: due, completed_at: completed } = request;
  if (completed !== null) return <Instant at={due} as="day" />;
  const left = new Date(due).getTime() - Date.now();
  return (
    <>
      <Instant at={due} as="day" />{' '}
      {left < SOON_MILLISECONDS ? (
        <ToneBadge tone={left < 0 ? 'bad' : 'watch'}>
          {left < 0 ? 'late, ' : ''}
          <Instant at={due} as="distance" />
        </ToneBadge>
      ) : (
        <Text span c="dimmed" size="sm">
          <Instant at={due} as="distance" />
        </Text>
      )}
    </>
  );
}
