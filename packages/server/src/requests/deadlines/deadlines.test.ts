import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { MemorySystem, memorySystems } from '../../../test/memory-system.ts';
import { stopInside } from '../../../test/stop-inside.ts';
import { auditMigrations, listAudit } from '../../audit/index.ts';
import { createLogger, fixedClock, newSecretKey } from '../../foundation/index.ts';
import { notifyMigrations } from '../../notify/index.ts';
import { parsePolicy } from '../../policy/index.ts';
import { type Caller, createRequests, type Requests, requestMigrations } from '../index.ts';
import { sendDeadlineAlerts } from './send-alerts.ts';

const caller: Caller = { organizationId: 'acme', actor: 'key:key_1' };
const RECEIVED = '2026-03-02T12:00:00Z';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase({ ...auditMigrations, ...notifyMigrations, ...requestMigrations });
});
afterEach(() => database.close());

/** A server whose workers do not run, at a moment. */
function serverAt(time: string, text = 'rules: [{owner: privacy}]'): Requests {
  const shop = new MemorySystem('shop', [{ email: 'ada@example.org', user_id: 'u1', name: 'Ada', note: '' }]);
  return createRequests({
    db: database.db,
    organizationId: caller.organizationId,
    databaseUrl: database.url,
    systems: memorySystems([shop], []),
    policy: parsePolicy(text, 'policy.yaml'),
    masterKey: KEY,
    clock: fixedClock(time),
    logger: createLogger({ level: 'silent' }),
    sign: async () => ({ signature: '', publicKey: {} }),
    proveEntry: async () => undefined,
    callback: () => ({ url: '', secret: '' }),
    verifyCallback: () => new Date(0),
  });
}

const KEY = newSecretKey();

async function receive(regime: 'gdpr' | 'uk-gdpr' | 'ccpa' = 'gdpr'): Promise<string> {
  const { request } = await serverAt(RECEIVED).receive(caller, {
    right: 'access',
    identities: [{ type: 'email', value: 'ada@example.org' }],
    dryRun: false,
    regime,
  });
  return request.id;
}

async function events(type: string) {
  const { rows } = await database.pool.query(
    'select data from habeas.outbox_events where type = $1 order by sequence',
    [type],
  );
  return rows.map((row: { data: string }) => JSON.parse(row.data));
}

const alertsAt = (time: string) =>
  sendDeadlineAlerts({ db: database.db, organizationId: caller.organizationId, clock: fixedClock(time) });

describe('the deadline of a request', () => {
  it('is counted by the law that the request names, and frozen with it', async () => {
    const id = await receive('ccpa');
    const deadline = await serverAt(RECEIVED).deadline(caller, id);
    expect(deadline).toMatchObject({
      regime: 'ccpa',
      due_at: '2026-04-15T23:59:59.999Z',
      acknowledge_by: '2026-03-16T23:59:59.999Z',
    });
    const other = serverAt(RECEIVED, 'deadlines: {law: lgpd, time_zone: Asia/Tokyo}');
    expect((await other.deadline(caller, id)).explanation).toEqual(deadline.explanation);
  });

  it('is extended once, with an audit entry and an event that tells the person', async () => {
    const id = await receive();
    const server = serverAt('2026-03-20T12:00:00Z');
    const extended = await server.commandDeadline(caller, id, {
      type: 'extend',
      reason: 'HighVolumeOfProcesses',
    });
    expect(extended).toMatchObject({
      due_at: '2026-06-02T23:59:59.999Z',
      changes: [
        {
          kind: 'extended',
          actor: 'key:key_1',
          due_before: '2026-04-02T23:59:59.999Z',
          due_after: '2026-06-02T23:59:59.999Z',
        },
      ],
    });
    expect((await server.get(caller, id)).due_at).toBe('2026-06-02T23:59:59.999Z');
    const reason = 'https://w3id.org/dpv/justifications#HighVolumeOfProcesses';
    expect(await events('request.extended')).toMatchObject([{ reason, due_at: '2026-06-02T23:59:59.999Z' }]);
    const items = await listAudit(database.db, { organizationId: 'acme', subject: id, limit: 10 });
    expect(items).toContainEqual(expect.objectContaining({ action: 'request.extended', actor: 'key:key_1' }));
    const again = server.commandDeadline(caller, id, { type: 'extend', reason: 'ComplexityOfProcess' });
    await expect(again).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('only one'),
    });
  });

  it('cannot be moved by anybody without a record: the database refuses', async () => {
    const id = await receive();
    await expect(
      database.pool.query("update habeas.requests set due_at = due_at + interval '1 day' where id = $1", [
        id,
      ]),
    ).rejects.toThrow(/without a recorded reason/);
  });

  it('of two commands at once the second sees what the first did', async () => {
    const id = await receive();
    const server = serverAt('2026-03-20T12:00:00Z');
    const both = await Promise.allSettled(
      [1, 2].map(() => server.commandDeadline(caller, id, { type: 'extend', reason: 'ComplexityOfProcess' })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('of another organization does not exist', async () => {
    const id = await receive();
    const stranger = { organizationId: 'other', actor: 'key:x' };
    await expect(serverAt(RECEIVED).deadline(stranger, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(
      serverAt(RECEIVED).commandDeadline(stranger, id, { type: 'acknowledge' }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('alerts', () => {
  it('tell of half, 80 %, 95 % and late once each, whoever looks and however often', async () => {
    await receive();
    const moments = ['2026-03-10', '2026-03-18', '2026-03-28', '2026-04-01', '2026-04-03', '2026-05-01'];
    for (const day of moments) {
      // Two processes at once, and once more after a restart.
      await Promise.all([1, 2].map(() => alertsAt(`${day}T12:00:00Z`)));
      await alertsAt(`${day}T13:00:00Z`);
    }
    const told = await events('request.deadline-near');
    expect(told.map(({ level }) => level)).toEqual(['50%', '80%', '95%', 'late']);
    expect(told[0]).toMatchObject({ owner: 'privacy', term: 'answer', regime: 'gdpr' });
    const teams = await events('request.team-deadline-near');
    expect(teams.map(({ level, team }) => `${team} ${level}`)).toEqual([
      'team-shop 50%',
      'team-shop 80%',
      'team-shop 95%',
      'team-shop late',
    ]);
  });

  it('are never told twice, also when a request comes up for them again', async () => {
    const id = await receive();
    const times = ['2026-03-18T12:00:00Z', '2026-04-03T12:00:00Z'];
    for (const time of times) {
      await alertsAt(time);
      // As after a restored backup of this column, or a version that counts it in another way.
      await database.pool.query('update habeas.requests set next_alert_at = received_at where id = $1', [id]);
      expect(await alertsAt(time)).toBe(1);
    }
    expect((await events('request.deadline-near')).map(({ level }) => level)).toEqual(['50%', 'late']);
  });

  it('are told by one process, while others go on with other requests', async () => {
    await receive();
    await using stop = await stopInside(database.pool, { table: 'deadline_alerts', write: 'insert' });
    const first = alertsAt('2026-03-18T12:00:00Z');
    await stop.reached();
    const second = alertsAt('2026-03-18T12:00:00Z');
    const stuck = stop.reached(2).then(() => 'both tell of the same request');
    expect(await Promise.race([second, stuck])).toBe(0);
    await stop.letOn();
    expect(await first).toBe(1);
    stuck.catch(() => undefined);
    expect((await events('request.deadline-near')).map(({ level }) => level)).toEqual(['50%']);
  });

  it('tell only the highest level when several passed unseen', async () => {
    await receive();
    await alertsAt('2026-04-10T12:00:00Z');
    expect((await events('request.deadline-near')).map(({ level }) => level)).toEqual(['late']);
    const { rows } = await database.pool.query(
      'select level, told from habeas.deadline_alerts order by level',
    );
    expect(rows.map(({ level, told }) => `${level} ${told}`)).toEqual([
      '50 false',
      '80 false',
      '95 false',
      '100 true',
    ]);
  });

  it('begin anew for a deadline that moved, rest while the clock stands still, and end with the request', async () => {
    const id = await receive('uk-gdpr');
    await alertsAt('2026-03-18T12:00:00Z');
    const at = (time: string) => serverAt(time);
    await at('2026-03-20T12:00:00Z').commandDeadline(caller, id, { type: 'stop-clock', reason: 'identity' });
    await alertsAt('2026-04-28T12:00:00Z');
    expect((await events('request.deadline-near')).length).toBe(1);
    await at('2026-04-28T12:00:00Z').commandDeadline(caller, id, { type: 'resume-clock' });
    await alertsAt('2026-04-28T13:00:00Z');
    expect((await events('request.deadline-near')).map(({ level }) => level)).toEqual(['50%', '80%']);
    await at('2026-04-29T12:00:00Z').command(caller, id, { type: 'cancel', reason: 'withdrawn' });
    await alertsAt('2026-06-20T13:00:00Z');
    expect((await events('request.deadline-near')).length).toBe(2);
  });

  it('tell of a receipt that nobody confirmed, until somebody does', async () => {
    const id = await receive('ccpa');
    await alertsAt('2026-03-10T12:00:00Z');
    expect(await events('request.deadline-near')).toMatchObject([{ term: 'acknowledgement', level: '50%' }]);
    await serverAt('2026-03-11T12:00:00Z').commandDeadline(caller, id, { type: 'acknowledge' });
    await alertsAt('2026-03-18T12:00:00Z');
    expect((await events('request.deadline-near')).length).toBe(1);
    expect(await serverAt('2026-03-18T12:00:00Z').get(caller, id)).toMatchObject({
      acknowledged_at: '2026-03-11T12:00:00.000Z',
    });
  });
});

it('figures tell how many requests have used how much of their term', async () => {
  const late = await receive();
  await receive('ccpa');
  const stopped = await receive('uk-gdpr');
  await serverAt('2026-03-20T12:00:00Z').commandDeadline(caller, stopped, {
    type: 'stop-clock',
    reason: 'identity',
  });
  const figures = await serverAt('2026-04-03T12:00:00Z').dueFigures();
  expect(figures.open).toEqual([
    { right: 'access', regime: 'ccpa', stage: 'half', count: 1 },
    { right: 'access', regime: 'gdpr', stage: 'late', count: 1 },
    { right: 'access', regime: 'uk-gdpr', stage: 'stopped', count: 1 },
  ]);
  expect(figures).toMatchObject({ unacknowledged: 1, stoppedSince: new Date('2026-03-20T12:00:00Z') });
  await serverAt('2026-04-03T12:00:00Z').command(caller, late, { type: 'cancel', reason: 'withdrawn' });
  expect((await serverAt('2026-04-03T12:00:00Z').dueFigures()).open.map(({ stage }) => stage)).toEqual([
    'half',
    'stopped',
  ]);
});

describe('an appeal', () => {
  const identities = [{ type: 'email', value: 'ada@example.org' }];
  const changes = [{ target: 'user.name', from: 'Ada', to: 'Ada L.' }];
  const asking = 'rules: [{when: {right: rectification}, approval: required}]';
  const denied = async (regime: 'us-va' | 'us-co' | 'gdpr') => {
    const server = serverAt(RECEIVED, asking);
    const ask = { right: 'rectification' as const, identities, changes, dryRun: false, regime };
    const { request } = await server.receive(caller, ask);
    await server.command(caller, request.id, { type: 'reject', reason: 'we think it is right' });
    return request.id;
  };
  const appealed = '2026-04-01T12:00:00Z';

  it('opens on a denied request, asks for the same, and has the deadline and the extension of its own law', async () => {
    const id = await denied('us-co');
    const server = serverAt(appealed, '');
    const { request, replayed } = await server.appeal(caller, id);
    expect(request).toMatchObject({
      appeal_of: id,
      right: 'rectification',
      targets: ['user.name'],
      regime: 'us-co',
      // Whatever the policy says.
      state: 'approving',
      approval: { needed: 1, given: [] },
      // 45 days, where an answer has 45 as well; once 60 more.
      due_at: '2026-05-16T23:59:59.999Z',
      acknowledge_by: null,
    });
    expect(replayed).toBe(false);
    const extended = await server.commandDeadline(caller, request.id, {
      type: 'extend',
      reason: 'ComplexityOfProcess',
    });
    expect(extended.due_at).toBe('2026-07-15T23:59:59.999Z');
    const { rows } = await database.pool.query(
      'select count(*)::int as identities from habeas.request_identities where request_id = $1',
      [request.id],
    );
    expect(rows).toEqual([{ identities: 1 }]);
    const [entry] = await listAudit(database.db, { organizationId: 'acme', subject: request.id, limit: 10 });
    expect(JSON.stringify(entry?.details ?? {})).not.toContain('ada@');
    expect(await events('request.received')).toContainEqual(expect.objectContaining({ appeal_of: id }));

    // Until it is decided nobody does anything; then what was asked for is done.
    await server.command(caller, request.id, { type: 'approve' });
    expect((await server.get(caller, request.id)).state).toBe('running');
  });

  it('is made once, also by calls at the same time, and there is none against it', async () => {
    const id = await denied('us-va');
    const server = serverAt(appealed);
    const made = await Promise.all([server.appeal(caller, id), server.appeal(caller, id)]);
    const again = await server.appeal(caller, id);
    expect(new Set([...made, again].map(({ request }) => request.id)).size).toBe(1);
    expect([...made, again].filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(again.request.due_at).toBe('2026-05-31T23:59:59.999Z');
    await server.command(caller, again.request.id, { type: 'reject', reason: 'still right' });
    await expect(server.appeal(caller, again.request.id)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('an appeal itself'),
    });
  });

  it('is refused with the reason where nothing was denied, or the law knows none', async () => {
    const open = await receive();
    await expect(serverAt(appealed).appeal(caller, open)).rejects.toThrow(
      /received.*nothing of it was denied|running.*nothing of it was denied/,
    );
    const gdpr = await denied('gdpr');
    await expect(serverAt(appealed).appeal(caller, gdpr)).rejects.toThrow(/gdpr.*knows no appeal/);
    await expect(
      serverAt(appealed).appeal({ ...caller, organizationId: 'other' }, gdpr),
    ).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

it('an opt-out of sale in California is due in 15 business days, and its receipt needs no confirmation', async () => {
  const { request } = await serverAt(RECEIVED).receive(caller, {
    right: 'opt_out_of_sale',
    identities: [{ type: 'email', value: 'ada@example.org' }],
    dryRun: false,
    regime: 'ccpa',
  });
  expect(request).toMatchObject({ due_at: '2026-03-23T23:59:59.999Z', acknowledge_by: null });
});
