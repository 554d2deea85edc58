import * as z from 'zod';
import { verifyStandardWebhook } from '../../access/index.ts';
import {
  type Clock,
  type Config,
  createOutbound,
  createOutboundPolicy,
  type Database,
  HabeasError,
  type Logger,
  pause,
  type TrackerConfig,
} from '../../foundation/index.ts';
import type { ProgramReceiver } from '../../notify/index.ts';
import type { Requests } from '../requests.ts';
import { createGitHubTracker } from './github.ts';
import { createJiraTracker } from './jira.ts';
import { createTicketMirror, type TicketMirror } from './mirror-tickets.ts';
import { takeTurn } from './mirrors.ts';
import { createRedmineTracker } from './redmine.ts';
import type { Tracker } from './tracker.ts';
import { createWebhookTracker } from './webhook.ts';

export interface TrackersOptions {
  readonly config: Pick<Config, 'trackers' | 'networks'>;
  readonly organizationId: string;
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly requests: Pick<Requests, 'closeTicket' | 'rejectTicket' | 'commandTask'>;
  /** Where people reach Habeas. */
  readonly publicUrl: string;
}

/** A message after Standard Webhooks, as it came. */
export interface TrackerReport {
  readonly tracker: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

const reportSchema = z.object({
  data: z.object({ ticket_id: z.string().max(100), state: z.enum(['open', 'closed', 'rejected']) }),
});

/** Trackers of teams, into which tickets are mirrored. */
export interface Trackers {
  /** What is told to trackers; the notifications deliver it. */
  readonly receivers: readonly ProgramReceiver[];
  /**
   * Takes what a webhook tracker says of a ticket, and answers when it has taken effect: sent again, it does so once. Throws
   * NOT_FOUND for a tracker or a ticket that is not there, UNAUTHENTICATED, BAD_INPUT, and what can be tried again.
   */
  report(report: TrackerReport): Promise<void>;
  /** Looks now and then what changed there. */
  start(): void;
  stop(): Promise<void>;
}

const OPENED = 'ticket.opened';
const REASSIGNED = 'ticket.reassigned';
const ENDED: readonly string[] = ['task.succeeded', 'task.skipped', 'task.retried', 'task.cancelled'];
const REQUEST_ENDED: readonly string[] = ['request.cancelled', 'request.rejected'];

export function createTrackers(options: TrackersOptions): Trackers {
  const { config } = options;
  const outbound = createOutbound({
    policy: createOutboundPolicy({ allowPrivate: config.networks.allow_private }),
  });
  const closing = new AbortController();
  const mirrors = config.trackers.map((one) => {
    const tracker = trackerOf(one, { ...options, outbound });
    return {
      config: one,
      tracker,
      mirror: createTicketMirror({ ...options, tracker, teams: new Set(one.teams) }),
    };
  });
  let polling: Promise<unknown> = Promise.resolve();
  return {
    receivers: mirrors.map((one) => receiverOf(one)),
    async report({ tracker, headers, body }) {
      const found = mirrors.find(({ config }) => config.kind === 'webhook' && config.name === tracker);
      if (found === undefined)
        throw new HabeasError('NOT_FOUND', 'There is no webhook tracker of this name in the configuration.');
      const now = options.clock.now();
      const verdict = verifyStandardWebhook({ secret: found.config.token, headers, body, now });
      if (!verdict.valid)
        throw new HabeasError(
          'UNAUTHENTICATED',
          `The report is not signed with the secret of this tracker (${verdict.reason}).`,
        );
      const report = reportSchema.safeParse(jsonOf(body));
      if (!report.success)
        throw new HabeasError(
          'BAD_INPUT',
          'A report is {"data": {"ticket_id": …, "state": "open", "closed" or "rejected"}}.',
        );
      const { ticket_id: ticketId, state } = report.data.data;
      await found.mirror.report({ ticketId, state, messageId: verdict.id }, closing.signal);
    },
    start() {
      polling = Promise.all(mirrors.map((one) => poll(one, options, closing.signal)));
    },
    async stop() {
      closing.abort();
      await polling;
      for (const { tracker } of mirrors) tracker.disconnect();
    },
  };
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString());
  } catch {
    return undefined;
  }
}

interface Mirrored {
  readonly config: TrackerConfig;
  readonly mirror: TicketMirror;
}

function receiverOf({ config, mirror }: Mirrored): ProgramReceiver {
  const teams = new Set(config.teams);
  return {
    kind: 'program',
    name: `trackers.${config.name}`,
    team: undefined,
    types: [OPENED, REASSIGNED, ...ENDED, ...REQUEST_ENDED],
    wants({ type, data }) {
      if (type === OPENED) return teams.has(String(data.team));
      if (type === REASSIGNED) return teams.has(String(data.team)) || teams.has(String(data.from_team));
      return REQUEST_ENDED.includes(type) || String(data.task).startsWith('ticket:');
    },
    // Of other teams' tickets nothing is mirrored, so that there is nothing to bring in line.
    deliver: (events, signal) => mirror.follow(events, signal),
  };
}

/** A webhook tracker says by itself what changed: what was said is settled here once more, such as after a hold. */
async function poll(
  { config, mirror }: Mirrored,
  { db, organizationId, clock, logger }: TrackersOptions,
  signal: AbortSignal,
): Promise<void> {
  const scope = { organizationId, tracker: config.name };
  while (!signal.aborted) {
    try {
      const since = await takeTurn(db, scope, { now: clock.now(), interval: config.interval });
      if (since !== undefined) await mirror.poll(since, signal);
    } catch (error) {
      if (signal.aborted) return;
      const { code, message } = HabeasError.from(error);
      logger.warn(
        { tracker: config.name, code, reason: message },
        'a tracker could not be brought in line; trying again',
      );
    }
    await pause(config.interval, signal);
  }
}

function trackerOf(
  config: TrackerConfig,
  {
    outbound,
    clock,
  }: Pick<TrackersOptions, 'clock'> & { readonly outbound: ReturnType<typeof createOutbound> },
): Tracker {
  const { name, kind, project = '', token } = config;
  const url = new URL(config.url ?? 'https://api.github.com');
  switch (kind) {
    case 'github':
      return createGitHubTracker({ outbound, name, url, project, token });
    case 'redmine':
      return createRedmineTracker({ outbound, name, url, project, token });
    case 'jira':
      return createJiraTracker({
        outbound,
        name,
        url,
        project,
        token,
        user: config.user ?? '',
        issueType: config.issue_type,
        now: () => clock.now(),
      });
    case 'webhook':
      return createWebhookTracker({ outbound, name, url, secret: token, now: () => clock.now() });
    default:
      return kind satisfies never;
  }
}
