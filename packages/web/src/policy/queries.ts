import type { explainPolicyQuerySchema } from '@habeas/contract/api';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type * as z from 'zod';
import { explainPolicy, getPolicy } from '../api/operations.ts';

export type Case = z.output<typeof explainPolicyQuerySchema>;
/** A case of which not all has been said. */
export type Draft = { readonly [Name in keyof Case]?: Case[Name] | undefined };

export const policyQuery = queryOptions({
  queryKey: ['policy'],
  queryFn: ({ signal }) => getPolicy({}, signal),
});

export const explanationQuery = (asked: Case) =>
  queryOptions({
    queryKey: ['policy', 'explanation', asked],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => explainPolicy({ query: asked }, signal),
  });
