import type { Scope, SessionView } from '@habeas/contract/api';
import { queryOptions, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { createContext, use } from 'react';
import { getSession } from '../api/operations.ts';
import { hasCode } from '../api/problem.ts';
import { tellOtherTabs } from './other-tabs.ts';

/** Who signed in; null: nobody. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: async ({ signal }): Promise<SessionView | null> => {
    try {
      return await getSession({}, signal);
    } catch (error) {
      if (hasCode(error, 'UNAUTHENTICATED')) return null;
      throw error;
    }
  },
});

export const SessionContext = createContext<SessionView | null>(null);

export function useCurrentSession(): SessionView | null {
  return useSuspenseQuery(sessionQuery).data;
}

/** The session of whoever looks at this page; pages are shown to nobody else. */
export function useSession(): SessionView {
  const session = use(SessionContext);
  if (session === null) throw new Error('Nobody is signed in.');
  return session;
}

/** Whether the reader may do what needs this scope. What they may not do is not offered to them; the server refuses it anyway. */
export function useMay(scope: Scope): boolean {
  return useSession().scopes.includes(scope);
}

/** Forgets everything that the former reader saw, and takes the new one. */
export function useSetSession(): (session: SessionView | null) => void {
  const client = useQueryClient();
  return (session) => {
    const former = client.getQueryData(sessionQuery.queryKey);
    if (former?.actor !== session?.actor)
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' });
    client.setQueryData(sessionQuery.queryKey, session);
    tellOtherTabs(session?.actor ?? null);
  };
}
