import { QueryClient } from '@tanstack/react-query';
import { onBack } from './connection.ts';
import { ApiError } from './problem.ts';
import { refresh } from './refresh.ts';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      networkMode: 'always',
      // What the server refused it refuses again; what it could not do, it may do the next time.
      retry: (count, error) => count < 2 && !(error instanceof ApiError && error.problem.status < 500),
    },
    mutations: { networkMode: 'always' },
  },
});

onBack(() => void refresh(queryClient));
