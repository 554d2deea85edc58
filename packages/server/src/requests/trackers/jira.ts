import * as z from 'zod';
import { HabeasError } from '../../foundation/index.ts';
import { type Issue, LABEL, type Tracker } from './tracker.ts';
import { createTrackerHttp, NOTHING, type TrackerHttpOptions } from './tracker-http.ts';

const issueSchema = z.object({
  key: z.string(),
  fields: z.object({
    status: z.object({ statusCategory: z.object({ key: z.string() }) }),
    resolution: z.object({ name: z.string() }).nullish(),
  }),
});
const foundSchema = z.object({ issues: z.array(issueSchema), nextPageToken: z.string().nullish() });
const madeSchema = z.object({ key: z.string() });
const transitionsSchema = z.object({
  transitions: z.array(
    z.object({ id: z.string(), to: z.object({ statusCategory: z.object({ key: z.string() }) }) }),
  ),
});

const PAGE = 100;
const MOST_PAGES = 50;
/** Resolutions by which an issue ended without its work. Jira's own names; a project may have others, which count as done. */
const REJECTED: readonly string[] = ["Won't Do", "Won't Fix", 'Cannot Reproduce', 'Declined', 'Duplicate'];
/** The search of Jira Cloud may lag behind by some seconds. */
const SETTLES_WITHIN_MILLISECONDS = 60_000;

/** Jira Cloud's REST API, version 3: issues of one project, with a label of Habeas and one of the ticket. */
export function createJiraTracker(
  options: Pick<TrackerHttpOptions, 'outbound' | 'timeoutMilliseconds'> & {
    readonly name: string;
    readonly url: URL;
    readonly project: string;
    readonly issueType: string;
    readonly user: string;
    readonly token: string;
    readonly now: () => Date;
    readonly settlesWithin?: number | undefined;
  },
): Tracker {
  const basic = Buffer.from(`${options.user}:${options.token}`).toString('base64');
  const http = createTrackerHttp({ ...options, headers: { authorization: `Basic ${basic}` } });
  const api = '/rest/api/3';

  async function search(jql: string, signal: AbortSignal): Promise<readonly Issue[]> {
    const found: Issue[] = [];
    let nextPageToken: string | undefined;
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const body = {
        jql,
        fields: ['status', 'resolution'],
        maxResults: PAGE,
        ...(nextPageToken && { nextPageToken }),
      };
      const some = await http.call({ method: 'POST', path: `${api}/search/jql`, body, signal }, foundSchema);
      found.push(...some.issues.map(issueOf));
      nextPageToken = some.nextPageToken ?? undefined;
      if (nextPageToken === undefined) break;
    }
    return found;
  }

  /** Jira has no way to set a status: it is reached by one of the transitions that the workflow allows now. */
  async function move(id: string, comment: string, to: 'done' | 'open', signal: AbortSignal): Promise<void> {
    const issue = `${api}/issue/${encodeURIComponent(id)}`;
    const { transitions } = await http.call(
      { method: 'GET', path: `${issue}/transitions`, signal },
      transitionsSchema,
    );
    const found = transitions.find((one) => (one.to.statusCategory.key === 'done') === (to === 'done'));
    if (found === undefined) {
      throw new HabeasError(
        'SYSTEM_REFUSED',
        `The workflow of ${id} in ${options.name} has no way to ${to === 'done' ? 'a done' : 'an open'} status for the user of Habeas.`,
      );
    }
    await http.call(
      { method: 'POST', path: `${issue}/comment`, body: { body: documentOf([comment]) }, signal },
      NOTHING,
    );
    await http.call(
      { method: 'POST', path: `${issue}/transitions`, body: { transition: { id: found.id } }, signal },
      NOTHING,
    );
  }

  return {
    name: options.name,
    settlesWithin: options.settlesWithin ?? SETTLES_WITHIN_MILLISECONDS,
    async find(ticketId, _since, signal) {
      const [found] = await search(
        `project = "${options.project}" and labels = "${labelOf(ticketId)}"`,
        signal,
      );
      return found;
    },
    async create({ title, body, ticketId }, signal) {
      const fields = {
        project: { key: options.project },
        issuetype: { name: options.issueType },
        summary: title,
        description: documentOf(body),
        labels: [LABEL, labelOf(ticketId)],
      };
      const made = await http.call(
        { method: 'POST', path: `${api}/issue`, body: { fields }, signal, repeat: 'once' },
        madeSchema,
      );
      return { id: made.key, label: made.key, state: 'open' };
    },
    close: (id, comment, signal) => move(id, comment, 'done', signal),
    reopen: (id, comment, signal) => move(id, comment, 'open', signal),
    changedSince(since, signal) {
      // Times in JQL are of the user's time zone, so that only a distance is safe.
      const minutes = Math.ceil((options.now().getTime() - since.getTime()) / 60_000) + 1;
      return search(
        `project = "${options.project}" and labels = "${LABEL}" and updated >= "-${minutes}m"`,
        signal,
      );
    },
    disconnect: () => http.close(),
  };
}

function labelOf(ticketId: string): string {
  return `${LABEL}-${ticketId}`;
}

/** Plain paragraphs in Atlassian Document Format. */
function documentOf(paragraphs: readonly string[]) {
  return {
    type: 'doc',
    version: 1,
    content: paragraphs.map((text) => ({ type: 'paragraph', content: [{ type: 'text', text }] })),
  };
}

function issueOf({ key, fields }: z.output<typeof issueSchema>): Issue {
  const isDone = fields.status.statusCategory.key === 'done';
  const isRejected = REJECTED.includes(fields.resolution?.name ?? '');
  return { id: key, label: key, state: isDone ? (isRejected ? 'rejected' : 'closed') : 'open' };
}
