import type { RequestFilter, Scope } from '@habeas/contract/api';
import {
  listClients,
  listConsentDestinations,
  listFailingSystems,
  listGaps,
  listPauses,
  listRequests,
  listTickets,
  listWebhooks,
} from '../api/operations.ts';
import { troubleOf } from '../consent/words.ts';

export interface NeedRow {
  readonly id: string;
  readonly text: string;
  /** When it has to be done, or since when it is so. */
  readonly at?: string | undefined;
  readonly to: string;
}

export interface Need {
  readonly title: string;
  /** What is done about it. */
  readonly what: string;
  readonly scope: Scope;
  /** Where all of them are. */
  readonly to: string;
  readonly rows: (signal: AbortSignal) => Promise<readonly NeedRow[]>;
}

const SHOWN = 10;
const SOON_MILLISECONDS = 7 * 86_400_000;

const requests = (filter: RequestFilter) => async (signal: AbortSignal) => {
  const { items } = await listRequests({ query: { ...filter, limit: SHOWN } }, signal);
  return items.map(
    ({ id, right, state, due_at: at }): NeedRow => ({
      id,
      text: `${right}, ${state}: ${id}`,
      at,
      to: `/requests/${id}`,
    }),
  );
};

const secondsAgo = (seconds: number | null) =>
  seconds === null ? undefined : new Date(Date.now() - seconds * 1_000).toISOString();

const soon = () => new Date(Date.now() + SOON_MILLISECONDS).toISOString();

/** All that somebody may have to do something about, the most pressing first. */
export const NEEDS: readonly Need[] = [
  {
    title: 'Late, or due in a week',
    what: 'Answer them, or extend their deadline',
    scope: 'requests:read',
    to: '/requests?open=true&order=due',
    rows: (signal) => requests({ open: 'true', order: 'due', due_before: soon() })(signal),
  },
  {
    title: 'To be approved',
    what: 'Look at the plan, then approve or reject',
    scope: 'requests:approve',
    to: '/requests?state=approving',
    rows: requests({ state: 'approving', order: 'due' }),
  },
  {
    title: 'Blocked',
    what: 'A task failed for good: retry or skip it',
    scope: 'tasks:write',
    to: '/requests?state=blocked',
    rows: requests({ state: 'blocked', order: 'due' }),
  },
  {
    title: 'Systems that fail',
    what: 'Requests wait for them: see what they answer, then mend or pause them',
    scope: 'requests:read',
    to: '/connections',
    async rows(signal) {
      const { items } = await listFailingSystems({}, signal);
      return items.map(({ system, requests: waiting, error, next_attempt_at: at }) => ({
        id: system,
        text: `${system}: ${waiting === 1 ? '1 request waits' : `${waiting} requests wait`}. ${error.message}`,
        at: at ?? undefined,
        to: '/connections',
      }));
    },
  },
  {
    title: 'Tickets',
    what: 'Do them by hand, then close them',
    scope: 'tickets:read',
    to: '/tickets',
    async rows(signal) {
      const { items } = await listTickets({ query: { state: 'open', limit: SHOWN } }, signal);
      return items.map(({ id, right, system, team, due_at: at }) => ({
        id,
        text: `${right} in ${system}, team ${team}`,
        at,
        to: `/tickets/${id}`,
      }));
    },
  },
  {
    title: 'Paused',
    what: 'Nothing is done there until somebody lets it go on',
    scope: 'pauses:read',
    to: '/connections',
    async rows(signal) {
      const { items } = await listPauses({}, signal);
      return items.map(({ scope, system, reason, paused_at: at }) => ({
        id: `${scope} ${system}`,
        text: `${system ?? `the ${scope}`}: ${reason}`,
        at,
        to: '/connections',
      }));
    },
  },
  {
    title: 'Webhooks that are not taken',
    what: 'Mend the receiver; what was given up can be sent again',
    scope: 'webhooks:read',
    to: '/connections',
    async rows(signal) {
      const { items } = await listWebhooks({}, signal);
      return items
        .filter(
          ({ failing_since: since, disabled_at: off, dead_letters: dead }) =>
            since !== null || off !== null || dead > 0,
        )
        .map(({ name, error, failing_since: since }) => ({
          id: name,
          text: `${name}: ${error ?? 'messages were given up'}`,
          at: since ?? undefined,
          to: '/connections',
        }));
    },
  },
  {
    title: 'Consent that is not taken',
    what: 'A system outside may still use what people have refused; mend it, then send again',
    scope: 'consent:read',
    to: '/consent',
    async rows(signal) {
      const { items } = await listConsentDestinations({}, signal);
      return items.flatMap((one) => {
        const trouble = troubleOf(one);
        const { key, lag_seconds: lag, error } = one;
        if (trouble === undefined) return [];
        return [{ id: key, text: `${key}: ${error ?? trouble}`, at: secondsAgo(lag), to: '/consent' }];
      });
    },
  },
  {
    title: 'Addresses to approve',
    what: 'A team published where its service answers; nothing is sent there before somebody approves it',
    scope: 'connections:write',
    to: '/connections',
    async rows(signal) {
      const { items } = await listClients({}, signal);
      return items
        .filter(({ state }) => state === 'proposed')
        .map(({ id, team, address, first_seen: at }) => ({
          id,
          text: `${team}: ${address}`,
          at,
          to: '/connections',
        }));
    },
  },
  {
    title: 'Gaps in the map',
    what: 'What is missing there, a request may miss too',
    scope: 'map:read',
    to: '/map?view=gaps',
    async rows(signal) {
      const { items } = await listGaps({ query: {} }, signal);
      return items.map(({ kind, message, service, team, data_type: type }) => ({
        id: [kind, service, team, type].join(' '),
        text: message,
        to: `/map?view=gaps${service === null ? '' : `&service=${encodeURIComponent(service)}`}`,
      }));
    },
  },
];
