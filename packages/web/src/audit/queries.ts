import { infiniteQueryOptions } from '@tanstack/react-query';
import { listAudit } from '../api/operations.ts';

export const auditQuery = (filter: { readonly subject?: string | undefined }) =>
  infiniteQueryOptions({
    queryKey: ['audit', filter],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      listAudit({ query: { ...filter, ...(pageParam === undefined ? {} : { cursor: pageParam }) } }, signal),
    getNextPageParam: ({ next }) => next ?? undefined,
  });
