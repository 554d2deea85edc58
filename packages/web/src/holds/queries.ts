import { infiniteQueryOptions } from '@tanstack/react-query';
import { listLegalHolds } from '../api/operations.ts';

export const holdsQuery = (filter: { readonly released?: 'true' | 'false' | undefined }) =>
  infiniteQueryOptions({
    // Under what the stream of events asks for again: it tells which requests a hold holds.
    queryKey: ['requests', 'holds', filter],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      listLegalHolds(
        { query: { ...filter, ...(pageParam === undefined ? {} : { cursor: pageParam }) } },
        signal,
      ),
    getNextPageParam: ({ next }) => next ?? undefined,
  });
