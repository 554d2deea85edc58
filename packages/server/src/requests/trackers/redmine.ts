import * as z from 'zod';
import { HabeasError } from '../../foundation/index.ts';
import type { Issue, IssueState, Tracker } from './tracker.ts';
import { createTrackerHttp, NOTHING, type TrackerHttpOptions } from './tracker-http.ts';

const issueSchema = z.object({ id: z.int(), subject: z.string(), status: z.object({ id: z.int() }) });
const listSchema = z.object({ issues: z.array(issueSchema), total_count: z.int() });
const statusListSchema = z.array(
  z.object({ id: z.int(), name: z.string(), is_closed: z.boolean().default(false) }),
);
const statusesSchema = z.object({ issue_statuses: statusListSchema });
/** `allowed_statuses`: what the workflow lets this user set; Redmine tells it from 5.0 on. */
const detailSchema = z.object({
  issue: issueSchema.extend({ allowed_statuses: statusListSchema.optional() }),
});

type Statuses = z.output<typeof statusListSchema>;

const PAGE = 100;
const MOST_PAGES = 50;
/** How subjects begin, by which the issues of Habeas are found. */
const SUBJECT = 'Habeas:';

/** Redmine's REST API: issues of one project, whose subjects begin with the name of Habeas. */
export function createRedmineTracker(
  options: Pick<TrackerHttpOptions, 'outbound' | 'timeoutMilliseconds'> & {
    readonly name: string;
    readonly url: URL;
    readonly project: string;
    readonly token: string;
  },
): Tracker {
  const http = createTrackerHttp({ ...options, headers: { 'x-redmine-api-key': options.token } });

  const statuses = async (signal: AbortSignal): Promise<Statuses> =>
    (await http.call({ method: 'GET', path: '/issue_statuses.json', signal }, statusesSchema)).issue_statuses;

  async function list(filter: Readonly<Record<string, string>>, signal: AbortSignal) {
    const found: z.output<typeof issueSchema>[] = [];
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const query = new URLSearchParams({
        project_id: options.project,
        status_id: '*',
        sort: 'updated_on',
        limit: String(PAGE),
        offset: String(page * PAGE),
        ...filter,
      });
      const some = await http.call({ method: 'GET', path: `/issues.json?${query}`, signal }, listSchema);
      found.push(...some.issues);
      if (found.length >= some.total_count || some.issues.length === 0) break;
    }
    return found;
  }

  /** Redmine answers 204 for a status that its workflow does not let the user set, and leaves the issue as it is. */
  async function change(
    id: string,
    notes: string,
    to: 'open' | 'closed',
    signal: AbortSignal,
  ): Promise<void> {
    const all = await statuses(signal);
    const path = `/issues/${id}.json`;
    const { issue } = await http.call(
      { method: 'GET', path: `${path}?include=allowed_statuses`, signal },
      detailSchema,
    );
    const { state } = issueOf(issue, all);
    if ((state === 'open') === (to === 'open')) return;
    const allowed = issue.allowed_statuses ?? all;
    const status = allowed.find((one) => one.is_closed === (to === 'closed') && !isRejection(one.name));
    if (status === undefined)
      throw new HabeasError(
        'SYSTEM_REFUSED',
        `The workflow of ${options.name} lets this user set no status that is ${to}. Allow it for the user's role, tracker and status of the issue.`,
      );
    await http.call(
      { method: 'PUT', path, body: { issue: { status_id: status.id, notes } }, signal },
      NOTHING,
    );
  }

  return {
    name: options.name,
    settlesWithin: 0,
    async find(ticketId, _since, signal) {
      const [found] = await list({ subject: `~${ticketId}` }, signal);
      return found && issueOf(found, await statuses(signal));
    },
    async create({ title, body }, signal) {
      const issue = { project_id: options.project, subject: title, description: body.join('\n\n') };
      const made = await http.call(
        { method: 'POST', path: '/issues.json', body: { issue }, signal, repeat: 'once' },
        z.object({ issue: issueSchema }),
      );
      return { id: String(made.issue.id), label: `#${made.issue.id}`, state: 'open' };
    },
    close: (id, comment, signal) => change(id, comment, 'closed', signal),
    reopen: (id, comment, signal) => change(id, comment, 'open', signal),
    async changedSince(since, signal) {
      const at = `>=${since.toISOString().replace(/\.\d+Z$/, 'Z')}`;
      const found = await list({ subject: `~${SUBJECT}`, updated_on: at }, signal);
      if (found.length === 0) return [];
      const all = await statuses(signal);
      return found.map((issue) => issueOf(issue, all));
    },
    disconnect: () => http.close(),
  };
}

/** Redmine has no resolutions; the status `Rejected` of its default workflow is one. */
function isRejection(name: string): boolean {
  return /reject/i.test(name);
}

function issueOf({ id, status }: z.output<typeof issueSchema>, all: Statuses): Issue {
  const found = all.find((one) => one.id === status.id);
  const state: IssueState =
    found?.is_closed !== true ? 'open' : isRejection(found.name) ? 'rejected' : 'closed';
  return { id: String(id), label: `#${id}`, state };
}
