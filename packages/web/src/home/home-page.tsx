import { Stack, Text } from '@mantine/core';
import { useQueries } from '@tanstack/react-query';
import { createLazyRoute } from '@tanstack/react-router';
import { Failure, Loading, PageHeader } from '../parts/states.tsx';
import { useSession } from '../session/session.tsx';
import { NeedCard } from './need-card.tsx';
import { NEEDS } from './needs.ts';

export const route = createLazyRoute('/')({ component: HomePage });

/** What needs the reader today, each with the way to the act. What their key may not look at is not asked for. */
function HomePage() {
  const { scopes } = useSession();
  const needs = NEEDS.filter(({ scope }) => scopes.includes(scope));
  const answers = useQueries({
    queries: needs.map(({ title, rows }) => ({
      // Under what the stream of events asks for again.
      queryKey: ['requests', 'home', title],
      queryFn: ({ signal }: { readonly signal: AbortSignal }) => rows(signal),
    })),
  });
  const calm = needs.filter((_, index) => answers[index]?.data?.length === 0);
  return (
    <>
      <PageHeader title="What needs you" />
      <Stack gap="lg">
        {needs.map((need, index) => {
          const { data, error, refetch } = answers[index] ?? {};
          if (data !== undefined)
            return data.length > 0 && <NeedCard key={need.title} need={need} rows={data} />;
          if (error) return <Failure key={need.title} error={error} retry={() => void refetch?.()} />;
          return <Loading key={need.title} rows={1} />;
        })}
        {calm.length > 0 && (
          <Text c="dimmed" role="status">
            Nothing to do: {calm.map(({ title }) => title.toLowerCase()).join('; ')}.
          </Text>
        )}
        {needs.length === 0 && <Text>Your key may look at nothing that somebody has to act on.</Text>}
      </Stack>
    </>
  );
}
