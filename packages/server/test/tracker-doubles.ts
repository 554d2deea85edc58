import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { signStandardWebhook, verifyStandardWebhook } from '../src/access/index.ts';

/** An issue of a double. */
export interface DoubleIssue {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  state: 'open' | 'closed' | 'rejected';
  updatedAt: Date;
  readonly comments: string[];
}

/**
 * A double of a tracker: not the program itself, but a real HTTP server of ours that answers the calls that Habeas makes as the
 * program's public API documentation says that it answers them, and refuses all others.
 */
export interface TrackerDouble extends AsyncDisposable {
  readonly url: string;
  readonly issues: DoubleIssue[];
  /** Calls that came in, as `POST /path`. */
  readonly calls: string[];
  /** Runs after a call took effect and before it is answered; gives false to cut the connection instead. */
  beforeAnswer: (call: string) => boolean;
  /** What a person of the team does. */
  set(number: number, state: DoubleIssue['state']): void;
}

type Answer = { readonly status: number; readonly body?: unknown };
type Handle = (
  call: {
    readonly method: string;
    readonly path: string;
    readonly query: URLSearchParams;
    readonly body: Readonly<Record<string, unknown>>;
    readonly request: IncomingMessage;
  },
  issues: DoubleIssue[],
) => Answer | undefined;

async function serve(handle: Handle): Promise<TrackerDouble> {
  const issues: DoubleIssue[] = [];
  const calls: string[] = [];
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '', 'http://double');
    const raw = await text(request);
    const method = request.method ?? '';
    calls.push(`${method} ${path}`);
    const body = raw === '' ? {} : JSON.parse(raw);
    const answer = handle({ method, path, query, body, request }, issues) ?? { status: 404, body: {} };
    if (!double.beforeAnswer(`${method} ${path}`)) {
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const double: TrackerDouble = {
    url: `http://127.0.0.1:${port}`,
    issues,
    calls,
    beforeAnswer: () => true,
    set(number, state) {
      const issue = issues.find((one) => one.number === number);
      if (issue === undefined) throw new Error(`There is no issue ${number}.`);
      issue.state = state;
      issue.updatedAt = new Date();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return double;
}

function add(issues: DoubleIssue[], made: Pick<DoubleIssue, 'title' | 'body' | 'labels'>): DoubleIssue {
  const issue: DoubleIssue = {
    ...made,
    number: issues.length + 1,
    state: 'open',
    updatedAt: new Date(),
    comments: [],
  };
  issues.push(issue);
  return issue;
}

function change(
  issue: DoubleIssue | undefined,
  state: DoubleIssue['state'] | undefined,
  comment?: string,
): void {
  if (issue === undefined) return;
  if (state !== undefined) issue.state = state;
  if (comment !== undefined) issue.comments.push(comment);
  issue.updatedAt = new Date();
}

/** A double of GitHub's REST API for issues of `acme/privacy` (docs.github.com, version 2022-11-28). */
export function doubleOfGitHub(): Promise<TrackerDouble> {
  const shown = (issue: DoubleIssue) => ({
    number: issue.number,
    title: issue.title,
    body: issue.body,
    labels: issue.labels.map((name) => ({ name })),
    state: issue.state === 'open' ? 'open' : 'closed',
    state_reason: { open: null, closed: 'completed', rejected: 'not_planned' }[issue.state],
    updated_at: issue.updatedAt.toISOString(),
  });
  return serve(({ method, path, query, body, request }, issues) => {
    if (request.headers.authorization !== 'Bearer gh-token') return { status: 401, body: {} };
    const [, number, comments] = /^\/repos\/acme\/privacy\/issues(?:\/(\d+)(\/comments)?)?$/.exec(path) ?? [];
    if (!path.startsWith('/repos/acme/privacy/issues')) return undefined;
    const issue = issues.find((one) => String(one.number) === number);
    if (method === 'POST' && number === undefined) {
      const made = add(issues, {
        title: String(body.title),
        body: String(body.body),
        labels: body.labels as string[],
      });
      return { status: 201, body: shown(made) };
    }
    if (method === 'POST' && comments !== undefined) {
      change(issue, undefined, String(body.body));
      return { status: 201, body: {} };
    }
    if (method === 'PATCH') {
      change(issue, body.state === 'open' ? 'open' : 'closed');
      return { status: 200, body: issue && shown(issue) };
    }
    const page = Number(query.get('page'));
    const size = Number(query.get('per_page'));
    const found = issues
      .filter(({ labels }) => labels.includes(query.get('labels') ?? ''))
      .filter(({ updatedAt }) => updatedAt >= new Date(query.get('since') ?? 0));
    return { status: 200, body: found.slice((page - 1) * size, page * size).map(shown) };
  });
}

/** A double of the REST API of Redmine 5 for issues of the project `privacy` (redmine.org/projects/redmine/wiki/Rest_api). */
export function doubleOfRedmine(): Promise<TrackerDouble> {
  const statuses = [
    { id: 1, name: 'New', is_closed: false },
    { id: 5, name: 'Closed', is_closed: true },
    { id: 6, name: 'Rejected', is_closed: true },
  ];
  const idOf = { open: 1, closed: 5, rejected: 6 } as const;
  const shown = ({ number: id, title: subject, state, updatedAt }: DoubleIssue) => ({
    id,
    subject,
    status: { id: idOf[state], name: statuses.find((status) => status.id === idOf[state])?.name },
    updated_on: updatedAt.toISOString(),
  });
  return serve(({ method, path, query, body, request }, issues) => {
    if (request.headers['x-redmine-api-key'] !== 'rm-token') return { status: 401 };
    if (path === '/issue_statuses.json') return { status: 200, body: { issue_statuses: statuses } };
    const issueBody = (body.issue ?? {}) as Record<string, unknown>;
    if (method === 'POST' && path === '/issues.json') {
      if (issueBody.project_id !== 'privacy')
        return { status: 422, body: { errors: ['Project cannot be blank'] } };
      const made = add(issues, {
        title: String(issueBody.subject),
        body: String(issueBody.description),
        labels: [],
      });
      return { status: 201, body: { issue: shown(made) } };
    }
    const [, number] = /^\/issues\/(\d+)\.json$/.exec(path) ?? [];
    const known = issues.find((one) => String(one.number) === number);
    if (method === 'GET' && known !== undefined)
      return { status: 200, body: { issue: { ...shown(known), allowed_statuses: statuses } } };
    if (method === 'PUT' && number !== undefined) {
      const state = ({ 1: 'open', 5: 'closed', 6: 'rejected' } as const)[Number(issueBody.status_id)];
      change(known, state, String(issueBody.notes));
      return { status: 204 };
    }
    if (method !== 'GET' || path !== '/issues.json' || query.get('status_id') !== '*') return undefined;
    const text = (query.get('subject') ?? '').replace(/^~/, '');
    const since = new Date((query.get('updated_on') ?? '>=1970-01-01T00:00:00Z').replace(/^>=/, ''));
    const found = issues.filter(({ title, updatedAt }) => title.includes(text) && updatedAt >= since);
    const offset = Number(query.get('offset'));
    const page = found.slice(offset, offset + Number(query.get('limit')));
    return { status: 200, body: { issues: page.map(shown), total_count: found.length, offset, limit: 100 } };
  });
}

/** A double of Jira Cloud's REST API, version 3, for issues of the project `PRIV` (developer.atlassian.com). */
export function doubleOfJira(): Promise<TrackerDouble> {
  const basic = `Basic ${Buffer.from('bot@acme.example:jira-token').toString('base64')}`;
  const category = (state: DoubleIssue['state']) => (state === 'open' ? 'new' : 'done');
  const resolution = { open: null, closed: { name: 'Done' }, rejected: { name: "Won't Do" } } as const;
  const shown = ({ number, state }: DoubleIssue) => ({
    key: `PRIV-${number}`,
    fields: { status: { statusCategory: { key: category(state) } }, resolution: resolution[state] },
  });
  return serve(({ method, path, body, request }, issues) => {
    if (request.headers.authorization !== basic) return { status: 401 };
    if (method === 'POST' && path === '/rest/api/3/issue') {
      const { project, summary, description, labels } = body.fields as {
        project: { key: string };
        summary: string;
        description: { type: string; content: unknown };
        labels: string[];
      };
      // What a double can check of the document format: the outermost node.
      if (project.key !== 'PRIV' || description.type !== 'doc') return { status: 400, body: { errors: {} } };
      const made = add(issues, { title: summary, body: JSON.stringify(description.content), labels });
      return { status: 201, body: { id: String(made.number), key: `PRIV-${made.number}` } };
    }
    if (method === 'POST' && path === '/rest/api/3/search/jql') {
      const [, label = ''] = /labels = "([^"]+)"/.exec(String(body.jql)) ?? [];
      const [, minutes] = /updated >= "-(\d+)m"/.exec(String(body.jql)) ?? [];
      const since = minutes === undefined ? 0 : Date.now() - Number(minutes) * 60_000;
      const found = issues.filter(
        (issue) => issue.labels.includes(label) && issue.updatedAt.getTime() >= since,
      );
      return { status: 200, body: { issues: found.map(shown), isLast: true } };
    }
    const [, number, what] = /^\/rest\/api\/3\/issue\/PRIV-(\d+)\/(transitions|comment)$/.exec(path) ?? [];
    const issue = issues.find((one) => String(one.number) === number);
    if (issue === undefined) return undefined;
    if (method === 'POST' && what === 'comment') {
      change(issue, undefined, JSON.stringify(body.body));
      return { status: 201, body: {} };
    }
    if (method === 'GET') {
      const to = issue.state === 'open' ? { id: '31', key: 'done' } : { id: '11', key: 'new' };
      return { status: 200, body: { transitions: [{ id: to.id, to: { statusCategory: { key: to.key } } }] } };
    }
    const { id } = body.transition as { id: string };
    change(issue, id === '31' ? 'closed' : 'open');
    return { status: 204 };
  });
}

export const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** A program that takes tickets by webhook: not a known one, but a real HTTP server that checks and signs as Standard Webhooks say. */
export interface WebhookDouble extends TrackerDouble {
  /** Where it reports to; set before anybody does something there. */
  reportTo: string;
  /** Sends a report until it is taken; gives the status of each try. */
  report(message: { readonly id: string; readonly ticket: string; readonly state: string }): Promise<number>;
}

export async function doubleOfWebhook(): Promise<WebhookDouble> {
  const taken = new Set<string>();
  const double = await serve(({ method, path, body, request }, issues) => {
    const verdict = verifyStandardWebhook({
      secret: WEBHOOK_SECRET,
      headers: request.headers,
      body: JSON.stringify(body),
      now: new Date(),
    });
    if (method !== 'POST' || path !== '/hooks/habeas') return undefined;
    if (!verdict.valid) return { status: 401, body: {} };
    if (taken.has(verdict.id)) return { status: 200, body: { label: 'seen before' } };
    taken.add(verdict.id);
    const data = body.data as { ticket_id: string; title?: string; body?: string[]; comment?: string };
    if (body.type === 'ticket.opened') {
      const made = add(issues, {
        title: data.title ?? '',
        body: (data.body ?? []).join(' '),
        labels: [data.ticket_id],
      });
      return { status: 200, body: { label: `W-${made.number}` } };
    }
    const issue = issues.find(({ labels }) => labels.includes(data.ticket_id));
    change(issue, body.type === 'ticket.ended' ? 'closed' : 'open', data.comment);
    return { status: 204 };
  });
  const { set } = double;
  const all: WebhookDouble = Object.assign(double, {
    url: `${double.url}/hooks/habeas`,
    reportTo: '',
    async report({ id, ticket, state }: { id: string; ticket: string; state: string }) {
      const body = JSON.stringify({ type: 'ticket.changed', data: { ticket_id: ticket, state } });
      const timestamp = String(Math.floor(Date.now() / 1_000));
      const { status } = await fetch(all.reportTo, {
        method: 'POST',
        body,
        headers: {
          'content-type': 'application/json',
          'webhook-id': id,
          'webhook-timestamp': timestamp,
          'webhook-signature': signStandardWebhook({ secret: WEBHOOK_SECRET, id, timestamp, body }),
        },
      });
      return status;
    },
    set(number: number, state: DoubleIssue['state']) {
      set(number, state);
      const ticket = double.issues[number - 1]?.labels[0] ?? '';
      const id = `msg_${randomUUID()}`;
      const send = async (): Promise<void> => {
        // Again until it is taken, as senders of webhooks do.
        const status = await all.report({ id, ticket, state }).catch(() => 0);
        if (status !== 204) setTimeout(send, 50).unref();
      };
      void send();
    },
  });
  return all;
}
