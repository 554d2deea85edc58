import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../test/eventually.ts';
import {
  doubleOfGitHub,
  doubleOfJira,
  doubleOfRedmine,
  doubleOfWebhook,
  type TrackerDouble,
  WEBHOOK_SECRET,
  type WebhookDouble,
} from '../../../test/tracker-doubles.ts';
import { caller, openTrackerWorld, type TrackerWorld } from '../../../test/tracker-world.ts';
import { signStandardWebhook } from '../../access/index.ts';
import { createOutbound, createOutboundPolicy, systemClock } from '../../foundation/index.ts';
import { createJiraTracker } from './jira.ts';
import { createTicketMirror } from './mirror-tickets.ts';

const KINDS = [
  {
    kind: 'github',
    open: doubleOfGitHub,
    config: { project: 'acme/privacy', token: 'gh-token' },
    create: 'POST /repos/acme/privacy/issues',
  },
  {
    kind: 'redmine',
    open: doubleOfRedmine,
    config: { project: 'privacy', token: 'rm-token' },
    create: 'POST /issues.json',
  },
  {
    kind: 'jira',
    open: doubleOfJira,
    config: { project: 'PRIV', token: 'jira-token', user: 'bot@acme.example' },
    create: 'POST /rest/api/3/issue',
  },
  {
    kind: 'webhook',
    open: doubleOfWebhook,
    config: { token: WEBHOOK_SECRET },
    create: 'POST /hooks/habeas',
  },
] as const;

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface World extends TrackerWorld {
  readonly double: TrackerDouble;
}

async function openWorld(kind: (typeof KINDS)[number]): Promise<World> {
  const double = await kind.open();
  ends.push(async () => double[Symbol.asyncDispose]());
  const world = await openTrackerWorld({ kind: kind.kind, url: double.url, ...kind.config });
  ends.push(async () => world[Symbol.asyncDispose]());
  if ('reportTo' in double) Object.assign(double, { reportTo: world.reports });
  return { ...world, double };
}

const creations = ({ double }: World, kind: (typeof KINDS)[number]) =>
  double.calls.filter((call) => call === kind.create).length;

describe.each(KINDS)('tickets in a double of $kind', (kind) => {
  it('are one issue each, of the right team, without personal data, and closing it there closes them here', async () => {
    const world = await openWorld(kind);
    const { double } = world;
    const id = await world.receive();
    await eventually('an issue', () => double.issues.length === 1);
    const ticket = await world.ticketOf(id);
    const [issue] = double.issues;
    expect(issue?.title).toBe(`Habeas: erasure in analytics (${ticket.id})`);
    expect(issue?.body).toContain(`habeas tickets show ${ticket.id}`);
    expect(issue?.body).toContain(`https://habeas.acme.example/api/v1/tickets/${ticket.id}`);
    expect(JSON.stringify([issue, double.calls])).not.toMatch(/ada@|example\.org/);
    double.set(1, 'closed');
    await eventually('the ticket is closed', () => world.isIn(id, 'closed'));
    expect((await world.ticketOf(id)).note).toContain('Closed in board as');
    expect((await world.ticketOf(id, 'letters')).state).toBe('open');
    expect(double.issues).toHaveLength(1);
    if (kind.kind !== 'webhook') expect(creations(world, kind)).toBe(1);
  });

  it('are rejected, taken up again and closed by what happens on either side', async () => {
    const world = await openWorld(kind);
    const { double, requests } = world;
    const id = await world.receive();
    await eventually('an issue', () => double.issues.length === 1);
    double.set(1, 'rejected');
    await eventually('the ticket is rejected', () => world.isIn(id, 'rejected'));
    double.set(1, 'open');
    await eventually('the ticket is open again', () => world.isIn(id, 'open'));
    double.set(1, 'rejected');
    await eventually('it is rejected again', () => world.isIn(id, 'rejected'));
    const ticket = await world.ticketOf(id);
    await requests.commandTask(caller, id, ticket.id, { type: 'retry' });
    await eventually('the issue is open again', () => double.issues[0]?.state === 'open');
    expect((await world.ticketOf(id)).state).toBe('open');
    await requests.closeTicket(caller, ticket.id, { note: 'done by hand' });
    await eventually('the issue is closed', () => double.issues[0]?.state === 'closed');
    double.set(1, 'open');
    await eventually('it is closed again', () => double.issues[0]?.state === 'closed');
    expect((await world.ticketOf(id)).note).toBe('done by hand');
  });

  it('that are handed to another team are open in its tracker alone', async () => {
    const world = await openWorld(kind);
    const { double, requests } = world;
    const id = await world.receive();
    await eventually('an issue', () => double.issues.length === 1);
    const [ticket, letter] = [await world.ticketOf(id), await world.ticketOf(id, 'letters')];
    await requests.reassignTicket(caller, ticket.id, { team: 'post', reason: 'They have the files' });
    await eventually('the issue is closed', () => double.issues[0]?.state === 'closed');
    double.set(1, 'open');
    await eventually('it is closed again', () => double.issues[0]?.state === 'closed');
    await requests.reassignTicket(caller, letter.id, { team: 'data', reason: 'They scan letters' });
    await eventually('an issue of the other', () => double.issues.length === 2);
    expect((await world.ticketOf(id)).state).toBe('open');
    await requests.reassignTicket(caller, ticket.id, { team: 'data', reason: 'They had them after all' });
    await eventually('the issue is open again', () => double.issues[0]?.state === 'open');
  });

  it('that ask for data are opened again when they are closed without it', async () => {
    const world = await openWorld(kind);
    const { double, requests } = world;
    const id = await world.receive('access');
    await eventually('an issue', () => double.issues.length === 1);
    double.set(1, 'closed');
    await eventually('it is open again', () => double.issues[0]?.state === 'open');
    expect(double.issues[0]?.comments.join()).toContain('habeas tickets close');
    expect((await world.ticketOf(id)).state).toBe('open');
    const ticket = await world.ticketOf(id);
    await requests.closeTicket(caller, ticket.id, { note: 'found', data: { visits: [{ page: '/' }] } });
    await eventually('the issue is closed', () => double.issues[0]?.state === 'closed');
  });

  it('of a request that is cancelled are closed there', async () => {
    const world = await openWorld(kind);
    const id = await world.receive('access');
    await eventually('an issue', () => world.double.issues.length === 1);
    await world.requests.command(caller, id, { type: 'cancel', reason: 'a test' });
    await eventually('the issue is closed', () => world.double.issues[0]?.state === 'closed');
  });
});

describe.each(KINDS.filter(({ kind }) => kind !== 'jira' && kind !== 'webhook'))(
  'a creation in a double of $kind',
  (kind) => {
    it('whose answer was lost is looked for and not repeated', async () => {
      const world = await openWorld(kind);
      const { double } = world;
      let lost = 0;
      double.beforeAnswer = (call) => {
        if (call !== kind.create || lost >= 1) return true;
        lost += 1;
        return false;
      };
      const id = await world.receive();
      await eventually('it was lost', () => lost === 1);
      double.beforeAnswer = () => true;
      await eventually('the issue is known', async () => {
        const { rows } = await world.database.pool.query('select issue_id from habeas.ticket_mirrors');
        return rows.length === 1 && rows[0].issue_id === '1';
      });
      expect([double.issues.length, creations(world, kind)]).toEqual([1, 1]);
      double.set(1, 'closed');
      await eventually('the ticket is closed', () => world.isIn(id, 'closed'));
    });
  },
);

describe('a creation in Jira whose answer was lost', () => {
  it('is looked for only when the search has had time to see it', async () => {
    const [, , kind] = KINDS;
    const world = await openWorld(kind);
    const { database, double, requests } = world;
    let lost = 0;
    double.beforeAnswer = (call) => {
      if (call === kind.create) lost += 1;
      return call !== kind.create;
    };
    const id = await world.receive();
    await eventually('it was lost', () => lost === 1);
    const mirrorAfter = (settlesWithin: number) =>
      createTicketMirror({
        db: database.db,
        organizationId: caller.organizationId,
        clock: systemClock,
        requests,
        publicUrl: 'https://habeas.acme.example',
        teams: new Set(['data']),
        tracker: createJiraTracker({
          outbound: createOutbound({ policy: createOutboundPolicy({ allowPrivate: ['127.0.0.1'] }) }),
          name: 'board',
          url: new URL(double.url),
          issueType: 'Task',
          now: () => systemClock.now(),
          settlesWithin,
          ...kind.config,
        }),
      });
    const event = {
      organizationId: caller.organizationId,
      id: 'evt_1',
      sequence: 1,
      at: new Date(),
      type: 'ticket.opened',
      data: { subject: (await world.ticketOf(id)).id, team: 'data' },
    };
    const { signal } = new AbortController();
    await expect(mirrorAfter(60_000).follow([event], signal)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await mirrorAfter(0).follow([event], signal);
    const { rows } = await database.pool.query('select issue_id from habeas.ticket_mirrors');
    expect([rows, double.issues.length, creations(world, kind)]).toEqual([[{ issue_id: 'PRIV-1' }], 1, 1]);
  });
});

describe('a webhook tracker', () => {
  const [, , , kind] = KINDS;

  async function withTicket() {
    const world = await openWorld(kind);
    const double = world.double as WebhookDouble;
    const id = await world.receive();
    await eventually('the ticket is there', () => double.issues.length === 1);
    return { world, double, id, ticket: (await world.ticketOf(id)).id };
  }

  it('gets a ticket whose answer was lost again, under the id by which it drops it', async () => {
    const world = await openWorld(kind);
    let lost = 0;
    world.double.beforeAnswer = () => {
      lost += 1;
      return lost > 1;
    };
    const id = await world.receive();
    await eventually('it came again', () => lost > 1);
    world.double.set(1, 'closed');
    await eventually('the ticket is closed', () => world.isIn(id, 'closed'));
    expect(world.double.issues).toHaveLength(1);
  });

  it('is believed only what is signed with its secret, of its own tickets, and each message once', async () => {
    const { world, double, id, ticket } = await withTicket();
    const other = (await world.ticketOf(id, 'letters')).id;
    const send = (body: string, headers: Record<string, string>) =>
      fetch(double.reportTo, { method: 'POST', body, headers }).then(({ status }) => status);
    const body = JSON.stringify({ data: { ticket_id: ticket, state: 'closed' } });
    const now = Math.floor(Date.now() / 1_000);
    const signed = (text: string, timestamp = String(now), secret = WEBHOOK_SECRET) => ({
      'webhook-id': 'msg_1',
      'webhook-timestamp': timestamp,
      'webhook-signature': signStandardWebhook({ secret, id: 'msg_1', timestamp, body: text }),
    });
    expect(await send(body, {})).toBe(401);
    expect(await send(body, signed(body.replace('closed', 'open')))).toBe(401);
    expect(await send(body, signed(body, String(now - 3_600)))).toBe(401);
    expect(
      await send(body, signed(body, String(now), `whsec_${Buffer.alloc(32, 8).toString('base64')}`)),
    ).toBe(401);
    for (const wrong of ['nonsense', '{}', JSON.stringify({ data: { ticket_id: ticket, state: 'gone' } })])
      expect(await send(wrong, signed(wrong))).toBe(400);
    expect(await double.report({ id: 'msg_2', ticket: other, state: 'closed' })).toBe(404);
    const elsewhere = double.reportTo.replace('board', 'another');
    expect((await fetch(elsewhere, { method: 'POST', body, headers: signed(body) })).status).toBe(404);
    expect((await world.ticketOf(id)).state).toBe('open');

    expect(await double.report({ id: 'msg_3', ticket, state: 'rejected' })).toBe(204);
    expect((await world.ticketOf(id)).state).toBe('rejected');
    expect(await double.report({ id: 'msg_4', ticket, state: 'open' })).toBe(204);
    expect((await world.ticketOf(id)).state).toBe('open');
    // The same message again, as after a lost answer, or from somebody who kept it.
    expect(await double.report({ id: 'msg_3', ticket, state: 'rejected' })).toBe(204);
    expect((await world.ticketOf(id)).state).toBe('open');
    expect(await double.report({ id: 'msg_5', ticket, state: 'closed' })).toBe(204);
    expect(await world.isIn(id, 'closed')).toBe(true);
  });
});
