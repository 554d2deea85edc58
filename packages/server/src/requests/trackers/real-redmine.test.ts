import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually as within } from '../../../test/eventually.ts';
import { type RedmineServer, startRedmine } from '../../../test/redmine-server.ts';
import { requireRedmine } from '../../../test/requirements.ts';
import { caller, openTrackerWorld, type TrackerWorld } from '../../../test/tracker-world.ts';

const installed = requireRedmine();

/** Redmine takes its time, above all on a busy machine. */
const SECONDS = 120;
const eventually = (what: string, isTrue: () => boolean | Promise<boolean>) => within(what, isTrue, SECONDS);

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

describe.skipIf(installed === undefined)('in a real Redmine', { timeout: 4 * SECONDS * 1_000 }, () => {
  let redmine: RedmineServer;
  beforeAll(async () => {
    redmine = await startRedmine(installed ?? '');
  }, SECONDS * 1_000);
  afterAll(() => redmine?.[Symbol.asyncDispose]());

  async function openWorld(token: string = redmine.keys.habeas): Promise<TrackerWorld> {
    const world = await openTrackerWorld({
      kind: 'redmine',
      url: redmine.url,
      project: 'privacy',
      token,
      interval: '500ms',
    });
    ends.push(async () => world[Symbol.asyncDispose]());
    return world;
  }

  /** The one issue of the ticket of a request, once it is there. */
  async function issueOf(world: TrackerWorld, requestId: string) {
    const ticket = await world.ticketOf(requestId);
    await eventually('an issue', async () => (await redmine.issues(ticket.id)).length > 0);
    const found = await redmine.issues(ticket.id);
    const [issue] = found;
    if (found.length !== 1 || issue === undefined)
      throw new Error(`There are ${found.length} issues of one ticket.`);
    return issue;
  }
  const isClosed = async (world: TrackerWorld, id: string) => (await issueOf(world, id)).status.is_closed;

  it('tickets are one issue each, without personal data, and closing it there closes them here', async () => {
    const world = await openWorld();
    const id = await world.receive();
    const issue = await issueOf(world, id);
    const ticket = await world.ticketOf(id);
    expect(issue.subject).toBe(`Habeas: erasure in analytics (${ticket.id})`);
    expect(issue.description).toContain(`habeas tickets show ${ticket.id}`);
    expect(redmine.stored()).toContain(ticket.id);
    expect(redmine.stored()).not.toContain('ada@example.org');
    await redmine.move(issue.id, 'In Progress');
    expect((await world.ticketOf(id)).state).toBe('open');
    await redmine.move(issue.id, 'Closed');
    await eventually('the ticket is closed', () => world.isIn(id, 'closed'));
    expect((await world.ticketOf(id)).note).toBe(`Closed in board as #${issue.id}.`);
    expect((await world.ticketOf(id, 'letters')).state).toBe('open');
    expect((await issueOf(world, id)).status.name).toBe('Closed');
    expect(await redmine.comments(issue.id)).toEqual([]);
  });

  it('tickets are rejected, taken up again and closed by what happens on either side, each with one comment', async () => {
    const world = await openWorld();
    const id = await world.receive();
    const { id: number } = await issueOf(world, id);
    await redmine.move(number, 'Rejected');
    await eventually('the ticket is rejected', () => world.isIn(id, 'rejected'));
    await redmine.move(number, 'Feedback');
    await eventually('the ticket is open again', () => world.isIn(id, 'open'));
    await redmine.move(number, 'Rejected');
    await eventually('it is rejected again', () => world.isIn(id, 'rejected'));
    const ticket = await world.ticketOf(id);
    await world.requests.commandTask(caller, id, ticket.id, { type: 'retry' });
    await eventually('the issue is open again', async () => !(await isClosed(world, id)));
    await world.requests.closeTicket(caller, ticket.id, { note: 'done by hand' });
    await eventually('the issue is closed', () => isClosed(world, id));
    expect(await redmine.comments(number)).toEqual([
      'The ticket is open again in Habeas.',
      'The ticket has ended in Habeas.',
    ]);
    await redmine.move(number, 'New');
    await eventually('it is closed again', () => isClosed(world, id));
    expect((await world.ticketOf(id)).note).toBe('done by hand');
  });

  it('tickets that ask for data are opened again when they are closed without it', async () => {
    const world = await openWorld();
    const id = await world.receive('access');
    const { id: number } = await issueOf(world, id);
    await redmine.move(number, 'Closed');
    await eventually('it is open again', async () => !(await isClosed(world, id)));
    expect((await redmine.comments(number)).join()).toContain('habeas tickets close');
    expect((await world.ticketOf(id)).state).toBe('open');
  });

  it('nothing is made with a wrong key, and the log says what to look at and not the key', async () => {
    const wrong = redmine.keys.habeas.replace(/./g, 'f');
    const world = await openWorld(wrong);
    const id = await world.receive();
    await eventually('the log says so', () => /trackers[^\n]*HTTP 401/.test(world.log.join('')));
    expect(world.log.join('')).toContain('Look at its token, project and rights under trackers');
    expect(world.log.join('')).not.toContain(wrong);
    const ticket = await world.ticketOf(id);
    expect([ticket.state, await redmine.issues(ticket.id)]).toEqual(['open', []]);
  });

  it('an issue is not taken for closed that the workflow does not let its user close', async () => {
    const world = await openWorld(redmine.keys.trainee);
    const id = await world.receive();
    const { id: number } = await issueOf(world, id);
    const ticket = await world.ticketOf(id);
    await world.requests.closeTicket(caller, ticket.id, { note: 'done by hand' });
    const said = 'lets this user set no status that is closed';
    await eventually('the log says so', () => world.log.join('').includes(said));
    expect(await isClosed(world, id)).toBe(false);
    expect(await redmine.comments(number)).toEqual([]);
    // As it is: what only the log knew would not be tried again.
    const { rows } = await world.database.pool.query('select seen from habeas.ticket_mirrors');
    expect(rows).toEqual([{ seen: 'open' }]);
  });

  it('a ticket is made once when the server was down, and nothing else waits for it', async () => {
    const world = await openWorld();
    await redmine.kill();
    const id = await world.receive();
    const letters = await world.ticketOf(id, 'letters');
    await world.requests.closeTicket(caller, letters.id, { note: 'done by hand' });
    await eventually('the log says so', () => world.log.join('').includes('SYSTEM_UNREACHABLE'));
    await redmine.start();
    const { id: number } = await issueOf(world, id);
    await redmine.move(number, 'Closed');
    await eventually('the request is completed', async () => {
      const { state } = await world.requests.get(caller, id);
      return state === 'completed';
    });
    expect((await issueOf(world, id)).id).toBe(number);
  });
});
