import type { CatalogFilter } from '@habeas/contract/api';
import { infiniteQueryOptions, keepPreviousData } from '@tanstack/react-query';
import { listCatalog } from '../api/operations.ts';

export const catalogQuery = (filter: CatalogFilter) =>
  infiniteQueryOptions({
    queryKey: ['catalog', filter],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      listCatalog(
        { query: { ...filter, ...(pageParam === undefined ? {} : { cursor: pageParam }) } },
        signal,
      ),
    getNextPageParam: ({ next }) => next ?? undefined,
    placeholderData: keepPreviousData,
  });
