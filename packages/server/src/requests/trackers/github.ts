import * as z from 'zod';
import { type Issue, LABEL, type Tracker } from './tracker.ts';
import { createTrackerHttp, NOTHING, type TrackerHttpOptions } from './tracker-http.ts';

const issueSchema = z.object({
  number: z.int(),
  title: z.string(),
  state: z.enum(['open', 'closed']),
  state_reason: z.string().nullish(),
});

const PAGE = 100;
/** Pages of one look; what is beyond comes with the next one. */
const MOST_PAGES = 50;

/** GitHub's REST API, version 2022-11-28: issues of one repository, with a label. */
export function createGitHubTracker(
  options: Pick<TrackerHttpOptions, 'outbound' | 'timeoutMilliseconds'> & {
    readonly name: string;
    readonly url: URL;
    /** `owner/repository`. */
    readonly project: string;
    readonly token: string;
  },
): Tracker {
  const http = createTrackerHttp({
    ...options,
    headers: {
      authorization: `Bearer ${options.token}`,
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
    },
  });
  const issues = `/repos/${options.project}/issues`;

  async function list(since: Date, signal: AbortSignal): Promise<readonly z.output<typeof issueSchema>[]> {
    const found: z.output<typeof issueSchema>[] = [];
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const query = new URLSearchParams({
        state: 'all',
        labels: LABEL,
        since: since.toISOString(),
        sort: 'updated',
        direction: 'asc',
        per_page: String(PAGE),
        page: String(page),
      });
      const some = await http.call(
        { method: 'GET', path: `${issues}?${query}`, signal },
        z.array(issueSchema),
      );
      found.push(...some);
      if (some.length < PAGE) break;
    }
    return found;
  }

  const change = async (id: string, comment: string, state: object, signal: AbortSignal): Promise<void> => {
    await http.call(
      { method: 'POST', path: `${issues}/${id}/comments`, body: { body: comment }, signal },
      NOTHING,
    );
    await http.call({ method: 'PATCH', path: `${issues}/${id}`, body: state, signal }, NOTHING);
  };

  return {
    name: options.name,
    // Lists of a repository are read where they are written; only the search has an index that lags.
    settlesWithin: 0,
    async find(ticketId, since, signal) {
      const found = (await list(since, signal)).find(({ title }) => title.includes(ticketId));
      return found && issueOf(found);
    },
    async create({ title, body }, signal) {
      const made = await http.call(
        {
          method: 'POST',
          path: issues,
          body: { title, body: body.join('\n\n'), labels: [LABEL] },
          signal,
          repeat: 'once',
        },
        issueSchema,
      );
      return issueOf(made);
    },
    close: (id, comment, signal) =>
      change(id, comment, { state: 'closed', state_reason: 'completed' }, signal),
    reopen: (id, comment, signal) => change(id, comment, { state: 'open', state_reason: 'reopened' }, signal),
    changedSince: async (since, signal) => (await list(since, signal)).map(issueOf),
    disconnect: () => http.close(),
  };
}

function issueOf({ number, state, state_reason: reason }: z.output<typeof issueSchema>): Issue {
  const rejected = reason === 'not_planned' || reason === 'duplicate';
  return {
    id: String(number),
    label: `#${number}`,
    state: state === 'open' ? 'open' : rejected ? 'rejected' : 'closed',
  };
}
