import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { getDownstream, getMap, listGaps } from '../api/operations.ts';
import { type MapSearch, queryOf } from './search.ts';

export const mapQuery = (search: MapSearch) => {
  const query = queryOf(search);
  return queryOptions({
    queryKey: ['map', query],
    queryFn: ({ signal }) => getMap({ query }, signal),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
};

export const gapsQuery = (search: MapSearch) => {
  const { compare_to: _, ...filter } = queryOf(search);
  const query = { ...filter, approved: search.approved };
  return queryOptions({
    queryKey: ['map', 'gaps', query],
    queryFn: async ({ signal }) => (await listGaps({ query }, signal)).items,
    placeholderData: keepPreviousData,
  });
};

/** Where data can end up from a service. */
export const reachQuery = (service: string, { data_type, category, as_of }: MapSearch) => {
  const query = { service, data_type, category, as_of };
  return queryOptions({
    queryKey: ['map', 'downstream', query],
    queryFn: ({ signal }) => getDownstream({ query }, signal),
  });
};
