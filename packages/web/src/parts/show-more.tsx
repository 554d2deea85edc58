import { Group, Text } from '@mantine/core';
import type { UseInfiniteQueryResult } from '@tanstack/react-query';
import { BusyButton } from './busy-button.tsx';

export interface ShowMoreProps {
  readonly query: Pick<UseInfiniteQueryResult, 'hasNextPage' | 'isFetchingNextPage' | 'fetchNextPage'>;
  /** How many are shown; undefined: nobody knows yet. */
  readonly shown: number | undefined;
}

/** The end of a list that comes page by page: how much of it is shown, and the way to the rest. */
export function ShowMore({ query, shown }: ShowMoreProps) {
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  if (shown === undefined || shown === 0) return null;
  return (
    <Group justify="center" mt="md">
      <Text c="dimmed" size="sm" role="status">
        {shown} shown{hasNextPage ? '' : ', which is all'}
      </Text>
      {hasNextPage && (
        <BusyButton variant="default" busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Show more
        </BusyButton>
      )}
    </Group>
  );
}
