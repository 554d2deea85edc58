import { queryOptions } from '@tanstack/react-query';
import { listConsentDestinations, listJobs, listPurposes } from '../api/operations.ts';

export const purposesQuery = queryOptions({
  queryKey: ['consent', 'purposes'],
  queryFn: async ({ signal }) => (await listPurposes({}, signal)).items,
});

export const destinationsQuery = queryOptions({
  queryKey: ['consent', 'destinations'],
  queryFn: async ({ signal }) => (await listConsentDestinations({}, signal)).items,
});

export const jobsQuery = queryOptions({
  queryKey: ['consent', 'jobs'],
  queryFn: async ({ signal }) => (await listJobs({}, signal)).items,
});
