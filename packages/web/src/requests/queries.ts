import type { RequestFilter } from '@habeas/contract/api';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import {
  getDeadline,
  getReceipt,
  getRequest,
  getRequestPlan,
  listAudit,
  listRequests,
  listTasks,
} from '../api/operations.ts';
import { calmWhenLong } from '../api/refresh.ts';

const PAGE = 100;

export const requestsQuery = (filter: RequestFilter) =>
  infiniteQueryOptions({
    ...calmWhenLong,
    queryKey: ['requests', filter],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      listRequests(
        { query: { ...filter, limit: PAGE, ...(pageParam === undefined ? {} : { cursor: pageParam }) } },
        signal,
      ),
    getNextPageParam: ({ next }) => next ?? undefined,
  });

export const requestQuery = (id: string) =>
  queryOptions({ queryKey: ['request', id], queryFn: ({ signal }) => getRequest({ id }, signal) });

export const planQuery = (id: string) =>
  queryOptions({
    queryKey: ['request', id, 'plan'],
    queryFn: ({ signal }) => getRequestPlan({ id }, signal),
  });

export const tasksQuery = (id: string) =>
  queryOptions({
    queryKey: ['request', id, 'tasks'],
    queryFn: async ({ signal }) => (await listTasks({ id }, signal)).items,
  });

export const deadlineQuery = (id: string) =>
  queryOptions({
    queryKey: ['request', id, 'deadline'],
    queryFn: ({ signal }) => getDeadline({ id }, signal),
  });

export const receiptQuery = (id: string) =>
  queryOptions({ queryKey: ['request', id, 'receipt'], queryFn: ({ signal }) => getReceipt({ id }, signal) });

export const timelineQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ['request', id, 'timeline'],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      listAudit(
        { query: { request: id, ...(pageParam === undefined ? {} : { cursor: pageParam }) } },
        signal,
      ),
    getNextPageParam: ({ next }) => next ?? undefined,
  });
