import type { RequestFilter, RequestView } from '@habeas/contract/api';
import { listRequests } from '../api/operations.ts';
import { toCsv } from '../parts/csv.ts';
import { saveFile } from '../parts/save-file.ts';

const PAGE = 500;

const COLUMNS = {
  id: ({ id }) => id,
  right: ({ right }) => right,
  state: ({ state }) => state,
  dry_run: ({ dry_run: dryRun }) => dryRun,
  regime: ({ regime }) => regime,
  owner: ({ owner }) => owner,
  received_at: ({ received_at: at }) => at,
  due_at: ({ due_at: at }) => at,
  completed_at: ({ completed_at: at }) => at,
  residual_until: ({ residual_until: at }) => at,
  reason: ({ reason }) => reason,
  tasks: ({ tasks }) => tasks.total,
  open_tasks: ({ tasks }) => tasks.open,
  blocked_tasks: ({ tasks }) => tasks.blocked,
} satisfies Readonly<Record<string, (request: RequestView) => string | number | boolean | null>>;

/** Saves every request that fits, not only those that are shown. `got` is told how many were read so far. */
export async function exportRequests(filter: RequestFilter, got: (count: number) => void): Promise<void> {
  const requests: RequestView[] = [];
  let cursor: string | undefined;
  do {
    const page = await listRequests({
      query: { ...filter, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) },
    });
    requests.push(...page.items);
    got(requests.length);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  const text = toCsv(
    Object.keys(COLUMNS),
    requests.map((request) => Object.values(COLUMNS).map((read) => read(request))),
  );
  saveFile('requests.csv', 'text/csv', text);
}
