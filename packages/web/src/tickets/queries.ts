import type { TicketState } from '@habeas/contract/api';
import { infiniteQueryOptions } from '@tanstack/react-query';
import { listTickets } from '../api/operations.ts';

export interface TicketFilter {
  readonly state?: TicketState | undefined;
  readonly team?: string | undefined;
}

export const ticketsQuery = (filter: TicketFilter) =>
  infiniteQueryOptions({
    queryKey: ['tickets', filter],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      listTickets(
        { query: { ...filter, ...(pageParam === undefined ? {} : { cursor: pageParam }) } },
        signal,
      ),
    getNextPageParam: ({ next }) => next ?? undefined,
  });
