import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { listConnections } from '../api/operations.ts';
import { tasksQuery } from '../requests/queries.ts';
import { useMay } from '../session/session.tsx';
import { progressOf, type ServiceProgress } from './progress.ts';

export interface ShownProgress {
  /** undefined: not asked for, or not known yet. */
  readonly progress: ReadonlyMap<string, ServiceProgress> | undefined;
  readonly error: Error | null;
}

/** How far a request is at each service, as it happens: the tab's stream of events has it asked for again. */
export function useProgress(request: string | undefined): ShownProgress {
  const maySeeKeys = useMay('connections:read');
  const { data: tasks, error } = useQuery({ ...tasksQuery(request ?? ''), enabled: request !== undefined });
  const { data: connections = NONE } = useQuery({
    queryKey: ['connections'],
    queryFn: async ({ signal }) => (await listConnections({}, signal)).items,
    enabled: request !== undefined && maySeeKeys,
  });
  const progress = useMemo(
    () =>
      request === undefined || tasks === undefined ? undefined : progressOf(tasks, connections, new Date()),
    [request, tasks, connections],
  );
  return { progress, error };
}

const NONE: readonly [] = [];
