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

/** Trackers of teams, into which tickets are mirrored. */
export interface Trackers {
  /** What is told to trackers; the notifications deliver it. */
  readonly receivers: readonly ProgramReceiver[];
  /** Looks now and then what changed there. */
  start(): void;
  stop(): Promise<void>;
}

const OPENED = 'ticket.opened';
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
    types: [OPENED, ...ENDED, ...REQUEST_ENDED],
    wants({ type, data }) {
      if (type === OPENED) return teams.has(String(data.team));
      return REQUEST_ENDED.includes(type) || String(data.task).startsWith('ticket:');
    },
    // Of other teams' tickets nothing is mirrored, so that there is nothing to bring in line.
    deliver: (events, signal) => mirror.follow(events, signal),
  };
}

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
  const { name, kind, project, token } = config;
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
    default:
      return kind satisfies never;
  }
}
