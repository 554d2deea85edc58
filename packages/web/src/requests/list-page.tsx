import type { RequestFilter, RequestView } from '@habeas/contract/api';
import { Alert, Button, Group, Text } from '@mantine/core';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { createLazyRoute } from '@tanstack/react-router';
import { useCallback, useState } from 'react';
import { isLong } from '../api/refresh.ts';
import { ShowMore } from '../parts/show-more.tsx';
import { Empty, Failure, Loading, PageHeader } from '../parts/states.tsx';
import { BulkActs } from './bulk-acts.tsx';
import { exportRequests } from './export-requests.ts';
import { FilterBar } from './filter-bar.tsx';
import { requestsQuery } from './queries.ts';
import { RequestTable } from './request-table.tsx';
import { SavedViews } from './saved-views.tsx';

export const route = createLazyRoute('/requests')({ component: ListPage });

function ListPage() {
  const filter = route.useSearch();
  const navigate = route.useNavigate();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const show = (next: RequestFilter) => {
    setChosen(new Set());
    void navigate({ search: next });
  };
  return (
    <>
      <PageHeader title="Requests">
        <SavedViews filter={filter} show={show} />
        <ExportButton filter={filter} />
      </PageHeader>
      <FilterBar filter={filter} show={show} />
      <BulkActs chosen={chosen} done={() => setChosen(new Set())} />
      <Results filter={filter} chosen={chosen} choose={setChosen} reset={() => show({})} />
    </>
  );
}

interface ResultsProps {
  readonly filter: RequestFilter;
  readonly chosen: ReadonlySet<string>;
  readonly choose: (ids: ReadonlySet<string>) => void;
  readonly reset: () => void;
}

function Results({ filter, chosen, choose, reset }: ResultsProps) {
  const query = useInfiniteQuery(requestsQuery(filter));
  const { data, error, isPending, isStale, refetch, hasNextPage, isFetchNextPageError, fetchNextPage } =
    query;
  const client = useQueryClient();
  const nearEnd = useCallback(() => {
    // What failed waits for the reader, who has the button below.
    if (hasNextPage && !isFetchNextPageError) void fetchNextPage({ cancelRefetch: false });
  }, [hasNextPage, isFetchNextPageError, fetchNextPage]);
  if (isPending) return <Loading rows={8} />;
  if (error !== null && data === undefined) return <Failure error={error} retry={() => void refetch()} />;
  const requests: readonly RequestView[] = data.pages.flatMap(({ items }) => items);
  if (requests.length === 0) return <NoRequests filtered={Object.keys(filter).length > 0} reset={reset} />;
  return (
    <>
      {isLong(data) && isStale && (
        <Changed again={() => void client.resetQueries({ queryKey: requestsQuery(filter).queryKey })} />
      )}
      <RequestTable
        requests={requests}
        chosen={chosen}
        choose={choose}
        all={!hasNextPage}
        nearEnd={nearEnd}
      />
      <ShowMore query={query} shown={requests.length} />
    </>
  );
}

/** A list that was read far is not pulled away from under its reader. */
function Changed({ again }: { readonly again: () => void }) {
  return (
    <Alert mb="md" p="xs" role="status">
      <Group gap="sm">
        <Text size="sm">Some requests have changed since this list was read.</Text>
        <Button size="compact-sm" variant="default" onClick={again}>
          Read it again
        </Button>
      </Group>
    </Alert>
  );
}

function NoRequests({ filtered, reset }: { readonly filtered: boolean; readonly reset: () => void }) {
  if (!filtered)
    return (
      <Empty title="Nobody has asked for anything yet">
        Requests come from people, from your own systems by the API, and from lists: habeas request import.
      </Empty>
    );
  return (
    <Empty title="No request fits this filter">
      <Button variant="default" mt="sm" onClick={reset}>
        Show all requests
      </Button>
    </Empty>
  );
}

function ExportButton({ filter }: { readonly filter: RequestFilter }) {
  const [got, setGot] = useState<number>();
  const [error, setError] = useState<unknown>();
  const start = async () => {
    setError(undefined);
    setGot(0);
    try {
      await exportRequests(filter, setGot);
    } catch (reason) {
      setError(reason);
    } finally {
      setGot(undefined);
    }
  };
  return (
    <>
      <Button variant="default" onClick={start} disabled={got !== undefined}>
        {got === undefined ? 'Export CSV' : `Reading ${got}…`}
      </Button>
      {error !== undefined && <Failure error={error} retry={start} />}
    </>
  );
}
