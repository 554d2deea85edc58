import { Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { Empty, Failure, Loading } from '../parts/states.tsx';
import { planQuery, tasksQuery } from './queries.ts';
import { TaskTable } from './task-table.tsx';

const PlanGraph = lazy(() =>
  import('./plan-graph.tsx').then(({ PlanGraph: component }) => ({ default: component })),
);

/** The plan as a graph that lives, and beside it the same as a table, which says more. */
export function PlanPanel({ id }: { readonly id: string }) {
  const { data: tasks, error, refetch } = useQuery(tasksQuery(id));
  const { data: plan } = useQuery(planQuery(id));
  if (error !== null) return <Failure error={error} retry={() => void refetch()} />;
  if (tasks === undefined) return <Loading />;
  if (tasks.length === 0)
    return <Empty title="There is no plan yet">It is made once it is clear who asks.</Empty>;
  return (
    <Stack>
      {plan !== undefined && (
        <Text size="sm" c="dimmed">
          Frozen with policy {plan.policy_version.slice(0, 12)}, plan {plan.hash.slice(0, 12)}.
        </Text>
      )}
      <Suspense fallback={<Loading rows={4} />}>
        <PlanGraph tasks={tasks} />
      </Suspense>
      <TaskTable requestId={id} tasks={tasks} plan={plan} />
    </Stack>
  );
}
