import type { QueryClient, QueryFilters } from '@tanstack/react-query';

/** A list of more pages than this is read again when its reader wants it: each page of it is a call of its own. */
const PAGES = 4;

/** Whether `data` is a list that was read so far that it is not read again by itself. */
export const isLong = (data: unknown): boolean =>
  typeof data === 'object' &&
  data !== null &&
  'pages' in data &&
  Array.isArray(data.pages) &&
  data.pages.length > PAGES;

interface Read {
  readonly state: { readonly data: unknown };
}

/** What holds of a list as long as it is read on: once it is long, only what changed it makes it old. */
export const calmWhenLong = {
  staleTime: ({ state }: Read) => (isLong(state.data) ? Number.POSITIVE_INFINITY : 10_000),
  refetchOnMount: ({ state }: Read) => !isLong(state.data),
  refetchOnWindowFocus: ({ state }: Read) => !isLong(state.data),
} as const;

/** Something has changed: what is shown of it is read again, but for long lists, which say that they are old. */
export async function refresh(client: QueryClient, filters: QueryFilters = {}): Promise<void> {
  await client.invalidateQueries({ ...filters, refetchType: 'none' });
  await client.refetchQueries({
    ...filters,
    type: 'active',
    stale: true,
    predicate: ({ state }) => !isLong(state.data),
  });
}
