import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { open as openSealedNotes } from '../../../../examples/connector/sealed-notes.fixture.ts';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { newLogKey, testAuditLog } from '../../test/log-key.ts';
import { MemorySystem, memorySystems } from '../../test/memory-system.ts';
import { readZip } from '../../test/read-zip.ts';
import { auditMigrations, listAudit, parseTrust, verifyFile } from '../audit/index.ts';
import { createLogger, HabeasError, newSecretKey, systemClock } from '../foundation/index.ts';
import { notifyMigrations } from '../notify/index.ts';
import { loadPolicy, parsePolicy } from '../policy/index.ts';
import { dueTasks, systemsDue } from './due-tasks.ts';
import { type Caller, createRequests, type Requests, requestMigrations } from './index.ts';
import type { Order } from './plans/sequence.ts';

const migrations = { ...auditMigrations, ...notifyMigrations, ...requestMigrations };
const caller: Caller = { organizationId: 'acme', actor: 'key:key_1' };
const ada = { type: 'email', value: 'ada@example.org' };
const people = [
  { email: 'ada@example.org', user_id: 'u1', name: 'Ada', note: '=1+1' },
  { email: 'bob@example.org', user_id: 'u2', name: 'Bob', note: 'plain' },
];

interface World {
  readonly database: TestDatabase;
  readonly requests: Requests;
  readonly shop: MemorySystem;
  readonly mail: MemorySystem;
  /** Lines of the log that tell of a failure. */
  readonly failures: string[];
}

const open: World[] = [];
afterEach(async () => {
  for (const world of open.splice(0)) {
    await world.requests.stop();
    await world.database.close();
  }
});

async function startWorld(
  options: { readonly policy?: string; readonly tickets?: boolean; readonly order?: Order } = {},
): Promise<World> {
  const database = await createTestDatabase(migrations);
  const shop = new MemorySystem('shop', people);
  const mail = new MemorySystem('mail', people);
  const failures: string[] = [];
  const requests = makeRequests(database, { shop, mail, failures, ...options });
  const world = { database, requests, shop, mail, failures };
  open.push(world);
  await requests.start();
  return world;
}

const masterKey = newSecretKey();
const key = newLogKey();
const auditLog = ({ db }: TestDatabase) => testAuditLog({ db, key });

function makeRequests(
  database: TestDatabase,
  options: {
    readonly shop: MemorySystem;
    readonly mail: MemorySystem;
    readonly policy?: string;
    readonly tickets?: boolean;
    readonly failures?: string[];
    readonly organizationId?: string;
    readonly order?: Order;
    readonly sign?: () => Promise<{
      readonly signature: string;
      readonly publicKey: Readonly<Record<string, unknown>>;
    }>;
  },
): Requests {
  return createRequests({
    db: database.db,
    organizationId: options.organizationId ?? caller.organizationId,
    databaseUrl: database.url,
    systems: memorySystems(
      [options.shop, options.mail],
      options.tickets === true ? [{ key: 'analytics', team: 'data' }] : [],
    ),
    policy: options.policy === undefined ? loadPolicy(undefined) : parsePolicy(options.policy, 'policy.yaml'),
    masterKey,
    ...(options.order === undefined ? {} : { order: options.order }),
    clock: systemClock,
    logger: createLogger({
      level: 'error',
      destination: { write: (line: string) => void options.failures?.push(line) },
    }),
    sign: options.sign ?? key.signReceipt,
    proveEntry: (sequence) => auditLog(database).proveNow(sequence),
    callback: (taskId) => ({ url: `http://127.0.0.1/callbacks/${taskId}`, secret: `secret of ${taskId}` }),
    verifyCallback: ({ headers }) => new Date(Number(headers['webhook-timestamp']) * 1_000),
    retry: { maxFailures: 4, firstDelayMilliseconds: 1, longestDelayMilliseconds: 5 },
    reconcileMilliseconds: 50,
  });
}

async function until<Result>(
  probe: () => Promise<Result | undefined | false>,
  what: string,
): Promise<Result> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const result = await probe();
    if (result !== undefined && result !== false) return result;
    if (Date.now() > deadline) throw new Error(`waited 15 s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const inState = (world: World, id: string, state: string) =>
  until(async () => {
    const request = await world.requests.get(caller, id);
    return request.state === state ? request : undefined;
  }, `${id} to be ${state}`);

async function receive(
  world: World,
  right: 'access' | 'erasure',
  more: { identities?: (typeof ada)[]; dryRun?: boolean; idempotencyKey?: string } = {},
) {
  const { request } = await world.requests.receive(caller, {
    right,
    identities: [ada],
    dryRun: false,
    ...more,
  });
  return request;
}

async function downloaded(world: World, id: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const opened = await world.requests.openPackage(caller, id, 'zip');
  for await (const chunk of await opened.read({ start: 0, end: opened.bytes }, new AbortController().signal))
    chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('an erasure', () => {
  it('erases the person everywhere, reads again, leaves everybody else and forgets its working copy', async () => {
    const world = await startWorld();
    const { id } = await receive(world, 'erasure');
    const done = await inState(world, id, 'completed');
    expect(done).toMatchObject({ matched: true, tasks: { open: 0, blocked: 0 } });
    expect(world.shop.rows.map((row) => row.email)).toEqual(['bob@example.org']);
    expect(world.mail.rows.map((row) => row.email)).toEqual(['bob@example.org']);
    expect(world.shop.calls).toEqual(['resolve', 'locate', 'erase', 'verify', 'verify']);
    const { rows } = await world.database.pool.query('select count(*)::int as n from habeas.request_blobs');
    expect(rows).toEqual([{ n: 0 }]);
    const receipt = await world.requests.receipt(caller, id);
    expect(
      receipt.receipt.systems.map((system) => [system.system, system.counts, system.verified_at !== null]),
    ).toEqual([
      ['mail', { rows: 1 }, true],
      ['shop', { rows: 1 }, true],
    ]);
    expect(receipt.receipt.audit_leaf_hashes.length).toBeGreaterThan(10);
  });

  it('says until when the last copy remains that could not be removed', async () => {
    const world = await startWorld();
    world.shop.residuals = [
      { what: 'backups', until: '2027-01-31' },
      { what: 'write-ahead log', until: null },
    ];
    world.mail.residuals = [{ what: 'cache', until: '2026-12-01T00:00:00Z' }];
    const { id } = await receive(world, 'erasure');
    const done = await inState(world, id, 'completed');
    expect(done.residual_until).toBe('2027-01-31T00:00:00.000Z');
    expect((await world.requests.receipt(caller, id)).receipt.residuals).toHaveLength(3);
  });

  it('counts in a dry run and changes nothing', async () => {
    const world = await startWorld();
    const { id } = await receive(world, 'erasure', { dryRun: true });
    await inState(world, id, 'completed');
    expect(world.shop.rows).toHaveLength(2);
    const tasks = await world.requests.tasks(caller, id);
    expect(tasks.find((task) => task.key === 'erase:shop')?.evidence?.counts).toEqual({ rows: 1 });
    expect(tasks.some((task) => task.kind === 'verify')).toBe(false);
  });

  it('is blocked, with the task named, when a system says it erased and keeps the data; a retry erases anew', async () => {
    const world = await startWorld();
    world.shop.keepsData = true;
    const { id } = await receive(world, 'erasure');
    await inState(world, id, 'blocked');
    const verify = (await world.requests.tasks(caller, id)).find((task) => task.state === 'blocked');
    expect(verify).toMatchObject({
      key: 'verify:shop',
      error: { code: 'STILL_READABLE', message: expect.stringContaining('1 in rows') },
    });
    expect(world.mail.rows.map((row) => row.email)).toEqual(['bob@example.org']);
    world.shop.keepsData = false;
    await world.requests.commandTask(caller, id, verify?.id ?? '', { type: 'retry' });
    await inState(world, id, 'completed');
    expect(world.shop.rows.map((row) => row.email)).toEqual(['bob@example.org']);
  });

  it('retries a system that fails for a while, and one bad system holds up no other', async () => {
    const world = await startWorld();
    let failures = 0;
    world.shop.before = (method) => {
      if (method === 'erase' && failures < 2) {
        failures += 1;
        throw new HabeasError('SYSTEM_UNREACHABLE', 'shop is down', { retryable: true });
      }
    };
    world.mail.before = (method) => {
      if (method === 'erase') throw new HabeasError('SYSTEM_REFUSED', 'mail refuses');
    };
    const { id } = await receive(world, 'erasure');
    await until(
      async () =>
        (await world.requests.tasks(caller, id)).some(
          (task) => task.key === 'verify:shop' && task.state === 'succeeded',
        ),
      'shop to be verified',
    );
    const request = await inState(world, id, 'blocked');
    expect(request.tasks).toMatchObject({ blocked: 1 });
    const blocked = (await world.requests.tasks(caller, id)).find((task) => task.key === 'erase:mail');
    await world.requests.commandTask(caller, id, blocked?.id ?? '', {
      type: 'skip',
      reason: 'the mail system is being retired',
    });
    // Skipping the erasure does not make the data unreadable, and the reading says so until a person answers for it.
    const unread = await until(
      async () =>
        (await world.requests.tasks(caller, id)).find(
          (task) => task.key === 'verify:mail' && task.state === 'blocked',
        ),
      'the reading of mail to find the data',
    );
    await world.requests.commandTask(caller, id, unread.id, {
      type: 'skip',
      reason: 'the mail system is being retired',
    });
    await inState(world, id, 'completed');
    const { systems, retained } = (await world.requests.receipt(caller, id)).receipt;
    expect(systems.find(({ system }) => system === 'mail')).toMatchObject({
      verified_at: null,
      assurance: 'none',
    });
    expect(retained).toMatchObject([
      {
        system: 'mail',
        collection: '*',
        count: 1,
        reason: expect.stringMatching(/^not erased, by decision .*: the mail system is being retired$/),
      },
    ]);
  });

  it('finds and erases what one system brought back into another that was read already', async () => {
    const world = await startWorld();
    let broughtBack = false;
    world.mail.before = async (method) => {
      if (method !== 'erase' || broughtBack) return;
      await until(async () => world.shop.calls.includes('verify'), 'shop to be read');
      world.shop.rows.push({ email: ada.value, user_id: 'u1' });
      broughtBack = true;
    };
    const { id } = await receive(world, 'erasure');
    await inState(world, id, 'completed');
    expect(broughtBack).toBe(true);
    expect(world.shop.rows.map((row) => row.email)).toEqual(['bob@example.org']);
    expect(world.shop.calls.filter((call) => call === 'erase')).toHaveLength(2);
    const { systems } = (await world.requests.receipt(caller, id)).receipt;
    expect(systems.find(({ system }) => system === 'shop')?.counts).toEqual({ rows: 2 });
  });

  it('asks a system once more with what another one told, and only then', async () => {
    const world = await startWorld();
    world.shop.needs = ['email', 'user_id'];
    world.shop.resolves = ['email', 'user_id'];
    world.shop.rows = [
      { email: ada.value, user_id: 'u1' },
      { email: 'ada@old.example', user_id: 'u1' },
    ];
    world.mail.rows = [{ email: 'ada@old.example' }];
    world.shop.before = async (method) => {
      if (method === 'resolve') await until(async () => world.mail.calls.includes('resolve'), 'mail');
    };
    const { id } = await receive(world, 'erasure');
    await inState(world, id, 'completed');
    // Only the shop knows the old address; mail was asked before the shop had told it.
    expect([world.shop.rows, world.mail.rows]).toEqual([[], []]);
    expect(world.mail.calls.filter((call) => call === 'resolve')).toHaveLength(2);
    const known = await receive(world, 'access', { identities: [{ type: 'email', value: 'x@example.org' }] });
    const before = world.mail.calls.length;
    await inState(world, known.id, 'completed');
    expect(world.mail.calls.slice(before)).toEqual(['resolve', 'collect']);
  });

  it('asks a resolver again whose answer was lost, although another one has found more identities meanwhile', async () => {
    const world = await startWorld();
    let lost = false;
    world.mail.before = async (method) => {
      if (method !== 'resolve' || lost) return;
      lost = true;
      await until(async () => {
        const { rows } = await world.database.pool.query(
          `select from habeas.tasks where key = 'resolve:shop' and state = 'succeeded'`,
        );
        return rows.length > 0;
      }, 'the other resolver');
      throw new HabeasError('SYSTEM_TIMEOUT', 'the answer is lost', { retryable: true });
    };
    const { id } = await receive(world, 'erasure');
    await inState(world, id, 'completed');
  });

  it('does a second effect never, although the erasure is asked twice under one key', async () => {
    const world = await startWorld();
    world.shop.pendingAnswers = 1;
    const { id } = await receive(world, 'erasure');
    const waiting = await until(
      async () =>
        (await world.requests.tasks(caller, id)).find(
          (task) => task.key === 'erase:shop' && task.state === 'waiting',
        ),
      'shop to answer that it is not done',
    );
    expect(world.shop.rows).toHaveLength(2);
    await Promise.all(
      [1, 2, 3].map(() =>
        world.requests.systemCallback({
          taskId: waiting.id,
          headers: { 'webhook-timestamp': '1000' },
          body: new Uint8Array(),
        }),
      ),
    );
    await inState(world, id, 'completed');
    expect([...world.shop.effects]).toEqual([[`${waiting.id}.1`, 1]]);
    expect(world.shop.lastCallback?.url).toContain('/callbacks/tsk_');
  });

  it('has a retry tell what the lost answer would have told, and counts nothing twice where data is erased once more', async () => {
    const world = await startWorld();
    const erase = world.shop.erase.bind(world.shop);
    const unanswered: (true | undefined)[] = [];
    world.shop.erase = async (scope, mode) => {
      unanswered.push(scope.unanswered);
      // What was told of the first erasure does not hold, and is done again.
      world.shop.keepsData = unanswered.length < 3;
      const outcome = await erase(scope, mode);
      if (unanswered.length === 1)
        throw new HabeasError('SYSTEM_TIMEOUT', 'the answer is lost', { retryable: true });
      return outcome;
    };
    const { id } = await receive(world, 'erasure');
    await inState(world, id, 'completed');
    expect(unanswered).toEqual([undefined, true, undefined]);
    const erased = (await world.requests.tasks(caller, id)).find(({ key }) => key === 'erase:shop');
    expect(erased?.evidence?.counts).toEqual({ rows: 2 });
  });

  it('keeps the counts of the first erasure, and tells those of the second, whose answer was lost', async () => {
    const world = await startWorld();
    const erase = world.shop.erase.bind(world.shop);
    const told: number[] = [];
    world.shop.erase = async (scope, mode) => {
      // After the first time the rows come back, from a backup or another system.
      const { rows } = world.shop;
      const outcome = await erase(scope, mode);
      if (outcome.state === 'done') told.push(outcome.evidence.counts.rows ?? 0);
      if (told.length === 1) world.shop.rows = rows;
      if (told.length === 2)
        throw new HabeasError('SYSTEM_TIMEOUT', 'the answer is lost', { retryable: true });
      return outcome;
    };
    const { id } = await receive(world, 'erasure');
    await inState(world, id, 'completed');
    const erased = (await world.requests.tasks(caller, id)).find(({ key }) => key === 'erase:shop');
    // The third time nothing is left of all keys, and the fourth time the one of the second search is gone.
    expect({ told, counts: erased?.evidence?.counts }).toEqual({ told: [1, 1, 0, 1], counts: { rows: 2 } });
  });

  it('asks a system again for a callback that is newer than the last one, and for no other', async () => {
    const world = await startWorld();
    world.shop.pendingAnswers = 5;
    const { id } = await receive(world, 'erasure');
    const waits = (attempts: number) =>
      until(async () => {
        const task = (await world.requests.tasks(caller, id)).find(({ key }) => key === 'erase:shop');
        return task?.state === 'waiting' && task.attempts === attempts ? task : undefined;
      }, `the erasure to wait after ${attempts} attempts`);
    const { id: taskId } = await waits(1);
    const call = (at: string) =>
      world.requests.systemCallback({
        taskId,
        headers: { 'webhook-timestamp': at },
        body: new Uint8Array(),
      });
    await Promise.all([call('1000'), call('1000'), call('1000')]);
    await waits(2);
    const entries = async () =>
      (await listAudit(world.database.db, { organizationId: 'acme', limit: 500 })).filter(
        ({ subject }) => subject === taskId,
      );
    const before = await entries();
    for (const at of ['1000', '999', '1000']) await call(at);
    expect(await entries()).toEqual(before);
    await call('1001');
    await waits(3);
  });

  it('touches a system only when those before it are erased and were read again', async () => {
    const world = await startWorld({ order: { after: { mail: ['shop'] }, groups: [] } });
    const done: string[] = [];
    world.shop.before = (method) => void done.push(`${method} shop`);
    world.mail.before = (method) => void done.push(`${method} mail`);
    const { id } = await receive(world, 'erasure');
    await inState(world, id, 'completed');
    const steps = done.filter((step) => /erase|verify/.test(step));
    expect(steps.slice(0, 4)).toEqual(['erase shop', 'verify shop', 'erase mail', 'verify mail']);
  });

  it('is called hidden, and not erased, where a system only marks rows as deleted', async () => {
    const world = await startWorld();
    world.shop.softDeletes = true;
    const { id } = await receive(world, 'erasure');
    await inState(world, id, 'completed');
    expect(world.shop.rows).toHaveLength(2);
    const { receipt } = await world.requests.receipt(caller, id);
    const shop = receipt.systems.find(({ system }) => system === 'shop');
    expect(shop).toMatchObject({
      assurance: 'verified',
      effects: { rows: { found: 1, hidden: 1, level: 'hidden' } },
      verified_at: expect.any(String),
    });
    const mail = receipt.systems.find(({ system }) => system === 'mail');
    expect(mail).toMatchObject({ assurance: 'verified' });
    expect(mail).not.toHaveProperty('effects');
  });

  it('is called unreadable by a destroyed key, in evidence and receipt, where a module of the user’s says so', async () => {
    const world = await startWorld();
    const archive = await openSealedNotes();
    Object.assign(world.shop, archive.connector);
    const { id } = await receive(world, 'erasure', { identities: [...(archive.person ?? [])] });
    await inState(world, id, 'completed');
    const effect = { found: 2, erased: 2, masked: 0, kept: 0, level: 'key-destroyed' };
    const tasks = await world.requests.tasks(caller, id);
    expect(tasks.find(({ key }) => key === 'erase:shop')?.evidence).toMatchObject({
      effects: { notes: effect },
    });
    const { receipt } = await world.requests.receipt(caller, id);
    expect(receipt.systems.find(({ system }) => system === 'shop')).toMatchObject({
      assurance: 'verified',
      effects: { notes: effect },
    });
    await archive.close();
  });

  it('has systems stop what they work on for it when it is cancelled, also one that was down', async () => {
    const world = await startWorld();
    world.shop.pendingAnswers = 1;
    let down = true;
    world.shop.before = (method) => {
      if (method === 'cancel' && down) {
        down = false;
        throw new HabeasError('SYSTEM_UNREACHABLE', 'down', { retryable: true });
      }
    };
    const { id } = await receive(world, 'access');
    const operation = await until(async () => {
      const { rows } = await world.database.pool.query(
        `select operation from habeas.tasks where key = 'collect:shop' and state = 'waiting'`,
      );
      return rows[0]?.operation as string | undefined;
    }, 'the shop to work on');
    await world.requests.command(caller, id, { type: 'cancel', reason: 'changed their mind' });
    await until(async () => !down, 'the shop to be asked');
    expect(world.shop.cancelled).toEqual([]);
    // A server that starts asks at once; this one would ask again in half a minute.
    const next = makeRequests(world.database, world);
    await next.start();
    await until(async () => world.shop.cancelled.length > 0, 'the shop to stop');
    await next.stop();
    expect(world.shop.cancelled).toEqual([operation]);
    const { rows } = await world.database.pool.query(`select from habeas.tasks where operation is not null`);
    expect(rows).toEqual([]);
  });

  it('has a system stop what it began after the request was cancelled', async () => {
    const world = await startWorld();
    world.shop.pendingAnswers = 1;
    const asked = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    world.shop.before = async (method) => {
      if (method !== 'collect') return;
      asked.resolve();
      await gate.promise;
    };
    const { id } = await receive(world, 'access');
    await asked.promise;
    await world.requests.command(caller, id, { type: 'cancel', reason: 'changed their mind' });
    gate.resolve();
    await until(async () => world.shop.cancelled.length > 0, 'the shop to stop');
    expect(world.shop.cancelled).toHaveLength(1);
  });

  it('waits for approval and can be cancelled until the first destructive task', async () => {
    const world = await startWorld({ policy: 'erasure: {approval: required}' });
    const first = await receive(world, 'erasure');
    expect(first.state).toBe('approving');
    await world.requests.command(caller, first.id, { type: 'reject', reason: 'not the person' });
    expect(await world.requests.get(caller, first.id)).toMatchObject({
      state: 'rejected',
      reason: 'not the person',
    });
    const second = await receive(world, 'erasure');
    await world.requests.command(caller, second.id, { type: 'approve' });
    await inState(world, second.id, 'completed');
    await expect(
      world.requests.command(caller, second.id, { type: 'cancel', reason: 'late' }),
    ).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(world.shop.rows.map((row) => row.email)).toEqual(['bob@example.org']);
  });

  it('is due at the end of the term of the law that the policy names', async () => {
    const world = await startWorld({ policy: 'deadlines: {law: lgpd, time_zone: America/Sao_Paulo}' });
    const { received_at, due_at } = await receive(world, 'erasure');
    // São Paulo is three hours behind UTC all year.
    const day = (time: number) => Math.floor((time - 3 * 3_600_000) / 86_400_000);
    expect(day(Date.parse(due_at))).toBe(day(Date.parse(received_at)) + 15);
    expect(due_at).toMatch(/T02:59:59\.999Z$/);
  });

  it('waits the days that the policy says and is cancelled in them without a trace in the systems', async () => {
    const world = await startWorld({ policy: 'erasure: {wait: 14d}' });
    const { id, waits_until } = await receive(world, 'erasure');
    expect(waits_until).not.toBeNull();
    await world.requests.command(caller, id, { type: 'cancel', reason: 'changed their mind' });
    expect(await world.requests.get(caller, id)).toMatchObject({ state: 'cancelled', tasks: { open: 0 } });
    expect(world.shop.calls).toEqual([]);
  });
});

describe('an access', () => {
  it('packs what every system holds, and waits for the team that has no client', async () => {
    const world = await startWorld({ tickets: true });
    const { id } = await receive(world, 'access');
    const ticket = await until(
      async () => (await world.requests.listTickets(caller, { limit: 10, state: 'open' })).items[0],
      'a ticket',
    );
    expect(ticket).toMatchObject({ team: 'data', system: 'analytics', right: 'access', data_types: ['ip'] });
    // For a key of another team it does not exist.
    const stranger = { ...caller, teams: ['shop'] };
    expect((await world.requests.listTickets(stranger, { limit: 10 })).items).toEqual([]);
    for (const attempt of [
      () => world.requests.getTicket(stranger, ticket.id),
      () => world.requests.closeTicket(stranger, ticket.id, { note: 'not mine', count: 0 }),
      () => world.requests.rejectTicket(stranger, ticket.id, 'not mine'),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
    const handOver = (team: string) =>
      world.requests.reassignTicket(caller, ticket.id, { team, reason: 'They have the files' });
    await expect(handOver('nobody')).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(handOver('data')).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(
      world.requests.reassignTicket(stranger, ticket.id, { team: 'team-shop', reason: 'mine' }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await handOver('team-shop')).toMatchObject({ id: ticket.id, team: 'team-shop', state: 'open' });
    const shop = { ...caller, teams: ['team-shop'] };
    expect((await world.requests.listTickets(shop, { limit: 10 })).items).toMatchObject([{ id: ticket.id }]);
    await handOver('data');
    const member = { ...caller, teams: ['shop', 'data'] };
    expect((await world.requests.listTickets(member, { limit: 10 })).items).toMatchObject([
      { id: ticket.id },
    ]);
    expect(await world.requests.getTicket(caller, ticket.id)).toMatchObject({
      identities: [ada, { type: 'user_id', value: 'u1' }],
    });
    const data = {
      events: [{ at: '2026-01-01', ip: '192.0.2.1' }],
      'ada@example.org': [{ '+49 170 1234567': 1 }],
    };
    await world.requests.closeTicket(caller, ticket.id, { note: 'one file', data });
    await expect(handOver('team-shop')).rejects.toMatchObject({ code: 'CONFLICT' });
    const done = await inState(world, id, 'completed');
    const bytes = await downloaded(world, id);
    const files = readZip(bytes);
    expect(JSON.parse(files.get('data/analytics/events.json')?.toString() ?? '')).toEqual(data.events);
    expect(files.get('manifest.json')?.toString()).not.toContain('closed its ticket without');
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(done.package?.sha256);
    expect(bytes.length).toBe(done.package?.bytes);
    expect(bytes.subarray(0, 2).toString()).toBe('PK');
    await expect(
      world.requests.closeTicket(caller, ticket.id, { note: 'again', count: 0 }),
    ).rejects.toMatchObject({ code: 'CONFLICT' });
    const { rows: stored } = await world.database.pool.query(
      `select t::text as row from habeas.tasks t union all select receipt from habeas.requests`,
    );
    for (const { row } of stored) expect(row ?? '').not.toMatch(/ada@|1234567/);
    await expect(world.requests.getTicket(caller, ticket.id)).resolves.toMatchObject({ identities: [] });
    // What was handed over lies in the package alone now.
    const { rows } = await world.database.pool.query(
      `select from habeas.request_blobs where blob not like 'package/%'`,
    );
    expect(rows).toEqual([]);
  });

  it('says which team looked by hand and handed nothing over', async () => {
    const world = await startWorld({ tickets: true });
    const { id } = await receive(world, 'access');
    const [ticket] = await until(async () => {
      const { items } = await world.requests.listTickets(caller, { limit: 10, state: 'open' });
      return items.length > 0 ? items : undefined;
    }, 'a ticket');
    await world.requests.closeTicket(caller, ticket?.id ?? '', { note: 'nothing stored', count: 0 });
    await inState(world, id, 'completed');
    expect(
      readZip(await downloaded(world, id))
        .get('manifest.json')
        ?.toString(),
    ).toContain('Team data looked by hand and closed its ticket without handing anything over');
  });

  it('takes no data with a ticket that asks for none', async () => {
    const world = await startWorld({ tickets: true });
    await receive(world, 'erasure');
    const [ticket] = await until(async () => {
      const { items } = await world.requests.listTickets(caller, { limit: 10, state: 'open' });
      return items.length > 0 ? items : undefined;
    }, 'a ticket');
    await expect(
      world.requests.closeTicket(caller, ticket?.id ?? '', { note: 'done', data: { events: [{ a: 1 }] } }),
    ).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });

  it('takes no data that it cannot keep as it is', async () => {
    const world = await startWorld({ tickets: true });
    await receive(world, 'access');
    const [ticket] = await until(async () => {
      const { items } = await world.requests.listTickets(caller, { limit: 10, state: 'open' });
      return items.length > 0 ? items : undefined;
    }, 'a ticket');
    let deep: Record<string, unknown> = {};
    for (let depth = 0; depth < 100_000; depth += 1) deep = { deep };
    for (const close of [
      { data: { 'a\0b': [{ a: 1 }] } },
      { data: { '': [{ a: 1 }] } },
      { data: { events: [deep] } },
      { data: { events: [{ a: 1 }] }, count: 0 },
    ]) {
      await expect(
        world.requests.closeTicket(caller, ticket?.id ?? '', { note: 'done', ...close }),
      ).rejects.toMatchObject({ code: 'BAD_INPUT' });
    }
    const many = Object.fromEntries(Array.from({ length: 11_000 }, (_, n) => [`c${n}`, [{ a: n }]]));
    const closed = await world.requests.closeTicket(caller, ticket?.id ?? '', { note: 'done', data: many });
    expect(closed.state).toBe('closed');
  });

  it('of an unknown person is a truthful empty package', async () => {
    const world = await startWorld();
    const { id } = await receive(world, 'access', {
      identities: [{ type: 'email', value: `nobody'"; drop table people;--\n@example.org` }],
    });
    const done = await inState(world, id, 'completed');
    expect(done.matched).toBe(false);
    expect((await downloaded(world, id)).length).toBeGreaterThan(100);
  });

  it('asked twice with one Idempotency-Key is one request, at the same instant too; another body is refused', async () => {
    const world = await startWorld();
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() =>
        world.requests.receive(caller, {
          right: 'access',
          identities: [ada],
          dryRun: false,
          idempotencyKey: 'k1',
        }),
      ),
    );
    expect(new Set(answers.map((answer) => answer.request.id)).size).toBe(1);
    expect(answers.filter((answer) => !answer.replayed)).toHaveLength(1);
    await expect(
      world.requests.receive(caller, {
        right: 'erasure',
        identities: [ada],
        dryRun: false,
        idempotencyKey: 'k1',
      }),
    ).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  });
});

describe('the room', () => {
  it('shows nothing of one organization to another', async () => {
    const world = await startWorld();
    const { id } = await receive(world, 'access');
    const other: Caller = { organizationId: 'other', actor: 'key:key_2' };
    await expect(world.requests.get(other, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(world.requests.command(other, id, { type: 'hold', reason: 'x' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect((await world.requests.list(other, { limit: 10 })).items).toEqual([]);
  });

  it('acts for one organization only, although another one on the same database has systems of the same names', async () => {
    const ours = await startWorld();
    const theirs = { shop: new MemorySystem('shop', people), mail: new MemorySystem('mail', people) };
    const other = makeRequests(ours.database, { ...theirs, organizationId: 'other' });
    await other.start();
    // Our own workers are all busy, so that what waits in the queue is there for whoever looks.
    const busy = Promise.withResolvers<void>();
    ours.shop.before = () => busy.promise;
    const ids = await Promise.all([...Array(12)].map(async () => (await receive(ours, 'erasure')).id));
    const asked = { right: 'access' as const, identities: [ada], dryRun: false };
    const theirCaller = { ...caller, organizationId: 'other' };
    const { request } = await other.receive(theirCaller, asked);
    await until(
      async () => (await other.get(theirCaller, request.id)).state === 'completed',
      'their request',
    );
    await other.stop();
    expect(theirs.shop.calls).toEqual(['resolve', 'collect']);
    busy.resolve();
    for (const id of ids) await inState(ours, id, 'completed');
  });

  it('takes over at once what a stopped process left, and an attempt that was lost cannot end the task', async () => {
    const world = await startWorld();
    let release: (() => void) | undefined;
    world.shop.before = (method) =>
      method === 'collect' ? new Promise((resolve) => (release = resolve)) : undefined;
    const { id } = await receive(world, 'access');
    await until(async () => world.shop.calls.includes('collect'), 'shop to be asked');
    // What a kill -9 leaves: a row that says "running" and a worker whose lock is gone.
    await world.database.pool.query(`update habeas.tasks set worker = '1' where key = 'collect:shop'`);
    world.shop.before = () => undefined;
    await inState(world, id, 'completed');
    release?.();
    const audit = await listAudit(world.database.db, { organizationId: 'acme', limit: 500 });
    expect(audit.filter((entry) => entry.action === 'task.lost')).toHaveLength(1);
    expect(
      audit.filter((entry) => entry.action === 'task.succeeded' && entry.details.task === 'collect:shop'),
    ).toHaveLength(1);
  });

  it('takes up its own task again when the database did not take its answer', async () => {
    const world = await startWorld();
    let release: (() => void) | undefined;
    world.shop.before = (method) =>
      method === 'collect' ? new Promise((resolve) => (release = resolve)) : undefined;
    const { id } = await receive(world, 'access');
    await until(async () => release !== undefined, 'shop to be asked');
    await until(
      async () =>
        (await world.requests.tasks(caller, id)).some(
          ({ key, state }) => key === 'collect:mail' && state === 'succeeded',
        ),
      'nothing else to go on',
    );
    await world.database.pool.query('alter table habeas.audit_entries rename to audit_entries_away');
    world.shop.before = () => undefined;
    release?.();
    await until(async () => world.failures.length > 0, 'the answer to be refused');
    await world.database.pool.query('alter table habeas.audit_entries_away rename to audit_entries');
    await inState(world, id, 'completed');
    expect(world.shop.calls.filter((call) => call === 'collect')).toHaveLength(2);
  });

  it('has its places back when the database refused what they were taken for', async () => {
    const world = await startWorld();
    const { pool } = world.database;
    await pool.query('alter table habeas.outbox_events rename to outbox_events_away');
    for (let time = 0; time < 10; time += 1)
      await expect(receive(world, 'access')).rejects.toMatchObject({ code: '42P01' });
    await pool.query('alter table habeas.outbox_events_away rename to outbox_events');
    const { id } = await receive(world, 'access');
    await inState(world, id, 'completed');
  });

  it('finds what is ready although nobody was told of it', async () => {
    const world = await startWorld({ policy: 'erasure: {approval: required}' });
    const { id } = await receive(world, 'erasure');
    await world.requests.stop();
    await world.database.pool.query(`update habeas.requests set state = 'running'`);
    await world.database.pool.query(`update habeas.tasks set state = 'ready' where remaining = 0`);
    const next = makeRequests(world.database, world);
    await next.start();
    await inState(world, id, 'completed');
    await next.stop();
  });

  it('shares the work between two processes on one database', async () => {
    const world = await startWorld();
    const second = makeRequests(world.database, world);
    await second.start();
    const ids = await Promise.all([...Array(10)].map(async () => (await receive(world, 'access')).id));
    for (const id of ids) await inState(world, id, 'completed');
    await second.stop();
    expect(world.shop.calls.filter((call) => call === 'collect')).toHaveLength(10);
  });

  it('writes nothing personal into audit entries, events, errors and rows', async () => {
    const world = await startWorld({ tickets: true });
    world.mail.before = (method) => {
      if (method === 'collect')
        throw new Error('duplicate key value: Key (email)=(ada@example.org) already exists');
    };
    const { id } = await receive(world, 'access', { idempotencyKey: ada.value });
    await inState(world, id, 'blocked');
    await until(
      async () =>
        (await world.requests.tasks(caller, id)).some(
          (task) => task.key === 'collect:shop' && task.state === 'succeeded',
        ),
      'shop to be read',
    );
    for (const table of [
      'audit_entries',
      'outbox_events',
      'tasks',
      'requests',
      'request_identities',
      'request_blobs',
      'idempotency_keys',
    ]) {
      const { rows } = await world.database.pool.query(`select t::text as row from habeas.${table} t`);
      expect(rows.length).toBeGreaterThanOrEqual(1);
      for (const { row } of rows) expect(row).not.toMatch(/ada@|\bAda\b|example\.org/);
    }
  });

  it('makes a receipt once, and once more without what people wrote when the request is forgotten', async () => {
    const world = await startWorld();
    world.mail.before = (method) => {
      if (method === 'collect') throw new HabeasError('SYSTEM_REFUSED', 'mail refuses');
    };
    const { id } = await receive(world, 'access');
    const blocked = await until(
      async () => (await world.requests.tasks(caller, id)).find((task) => task.state === 'blocked'),
      'a blocked task',
    );
    await world.requests.commandTask(caller, id, blocked.id, { type: 'skip', reason: 'mail is gone' });
    await inState(world, id, 'completed');
    const stored = () =>
      world.database.pool.query(`select receipt from habeas.requests where receipt is not null`);
    // Nobody asked for it yet.
    const { rows } = await until(async () => ((await stored()).rowCount === 1 ? stored() : undefined), 'it');
    const before = await world.requests.receipt(caller, id);
    const { log: _, ...signed } = before;
    expect(JSON.parse(rows[0]?.receipt)).toEqual(signed);
    expect(JSON.stringify(before)).toContain('mail is gone');
    await world.database.pool.query(`update habeas.requests set forget_at = now()`);
    await until(async () => {
      const { rows: keys } = await world.database.pool.query('select from habeas.request_keys');
      return keys.length === 0;
    }, 'the request to be forgotten');
    const after = await world.requests.receipt(caller, id);
    expect(JSON.stringify(after)).not.toContain('mail is gone');
    expect(after.receipt.plan_hash).toBe(before.receipt.plan_hash);
    expect(after.receipt.salt).not.toBe(before.receipt.salt);
    expect((await world.requests.receipt(caller, id)).receipt).toEqual(after.receipt);
    // Each is in the log, under a hash of its own, and can be verified by whoever has it.
    const trust = parseTrust((await auditLog(world.database).verifierKeys()).join('\n'));
    for (const receipt of [before, after])
      expect(verifyFile({ text: JSON.stringify(receipt), trust })).toMatchObject({ verified: true });
    const mixed = { ...after, log: before.log };
    expect(verifyFile({ text: JSON.stringify(mixed), trust })).toMatchObject({ verified: false });
    const entries = await listAudit(world.database.db, { organizationId: 'acme', request: id });
    expect(entries.filter(({ action }) => action === 'receipt.signed')).toHaveLength(2);
  });

  it('gives a receipt also when the request is forgotten in the moment in which it is made', async () => {
    const world = await startWorld();
    const { id } = await receive(world, 'access');
    await inState(world, id, 'completed');
    await world.requests.receipt(caller, id);
    // The reconciler would make it too.
    await world.requests.stop();
    await world.database.pool.query(`
      update habeas.requests set receipt = null;
      create table habeas.forgotten (id text);
      create function habeas.forget_once() returns trigger language plpgsql as $$ begin
        if new.receipt is not null and not exists (select from habeas.forgotten) then
          insert into habeas.forgotten values (new.id);
          new.receipt := null;
        end if;
        return new;
      end $$;
      create trigger forget_once before update on habeas.requests for each row execute function habeas.forget_once()`);
    expect((await world.requests.receipt(caller, id)).receipt.audit_leaf_hashes.length).toBeGreaterThan(5);
    const { rows } = await world.database.pool.query('select id from habeas.forgotten');
    expect(rows).toEqual([{ id }]);
  });

  it('forgets, and looks for what is due, also when receipts cannot be made', async () => {
    const world = await startWorld();
    const { id } = await receive(world, 'access');
    await inState(world, id, 'completed');
    await world.requests.stop();
    const { pool } = world.database;
    await pool.query('update habeas.requests set forget_at = now(), receipt = null');
    const next = makeRequests(world.database, {
      ...world,
      sign: () => Promise.reject(new Error('the key is away')),
    });
    await next.start();
    await until(async () => {
      const { rows } = await pool.query('select from habeas.request_keys');
      return rows.length === 0;
    }, 'the request to be forgotten');
    const { request } = await next.receive(caller, { right: 'erasure', identities: [ada], dryRun: false });
    await until(async () => (await next.get(caller, request.id)).state === 'completed', 'the next request');
    await next.stop();
  });

  it('takes what has been due for long before what has just become due', async () => {
    const world = await startWorld();
    await world.requests.stop();
    const { pool, db } = world.database;
    await pool.query(`insert into habeas.requests (organization_id, id, right_kind, state, dry_run, identity_types, received_at, due_at, received_by)
      values ('acme', 'req_1', 'access', 'running', false, '{}', now(), now(), 'key')`);
    await pool.query(`insert into habeas.tasks (organization_id, id, request_id, key, position, kind, system, state, remaining, next_attempt_at)
      select 'acme', 'tsk_' || n, 'req_1', 'collect:' || n, n, 'collect', 'shop', 'ready', 0, now() - make_interval(secs => n)
      from generate_series(1, 1000) n`);
    const options = {
      organizationId: 'acme',
      system: 'shop',
      limit: 4,
      now: new Date(Date.now() + 1_000),
      except: [],
    };
    const chosen = new Set<string>();
    for (let look = 0; look < 50; look += 1)
      for (const { taskId } of await dueTasks(db, options)) chosen.add(taskId);
    const oldest = Array.from({ length: 16 }, (_, index) => `tsk_${1_000 - index}`);
    expect([...chosen].every((id) => oldest.includes(id))).toBe(true);
    expect(await systemsDue(db, options)).toEqual(['shop']);
    expect(await systemsDue(db, { ...options, now: new Date(0) })).toEqual([]);
  });

  it('keeps nothing of attempts that failed, and tells a failure whatever its text holds', async () => {
    const world = await startWorld();
    world.shop.before = (method) => {
      if (method === 'collect') world.shop.failsAfterRows = true;
    };
    world.mail.before = (method) => {
      if (method === 'collect') throw new HabeasError('SYSTEM_REFUSED', `no \0 ${'x'.repeat(3_995)}😀`);
    };
    const { id } = await receive(world, 'access');
    await until(async () => (await world.requests.get(caller, id)).tasks.blocked === 2, 'both to be blocked');
    const tasks = await world.requests.tasks(caller, id);
    expect(tasks.find(({ key }) => key === 'collect:mail')?.error?.code).toBe('SYSTEM_REFUSED');
    const { rows } = await world.database.pool.query('select from habeas.request_blobs');
    expect(rows).toEqual([]);
  });

  it('removes events and frozen datasets that nobody can need any more, and only those', async () => {
    const world = await startWorld();
    await world.requests.stop();
    const { pool } = world.database;
    await pool.query(`insert into habeas.plan_inputs (organization_id, hash, content, used_at)
      values ('acme', 'old', '', now() - interval '91 days'), ('acme', 'new', '', now()), ('other', 'old', '', now() - interval '91 days'),
        ('acme', 'ended', '', now() - interval '91 days'), ('acme', 'goes on', '', now() - interval '91 days')`);
    await pool.query(`insert into habeas.requests (organization_id, id, right_kind, state, dry_run, identity_types, received_at, due_at, received_by)
      select 'acme', 'req_' || state, 'erasure', state, false, '{}', now(), now(), 'key' from unnest(array['completed', 'held']) state`);
    // An erasure that ended may be done anew while its request goes on.
    await pool.query(`insert into habeas.tasks (organization_id, id, request_id, key, position, kind, system, inputs, state, remaining)
      values ('acme', 'tsk_1', 'req_completed', 'erase:shop', 1, 'erase', 'shop', 'ended', 'succeeded', 0),
        ('acme', 'tsk_2', 'req_held', 'erase:shop', 1, 'erase', 'shop', 'goes on', 'succeeded', 0)`);
    await pool.query(`insert into habeas.outbox_events (organization_id, id, at, type, data)
      select 'acme', 'evt_' || n, now() - make_interval(days => n), 't', '{}' from generate_series(1, 100) n`);
    const next = makeRequests(world.database, world);
    await next.start();
    const { rows: inputs } = await pool.query(
      'select organization_id, hash from habeas.plan_inputs order by 1, 2',
    );
    expect(inputs).toEqual([
      { organization_id: 'acme', hash: 'goes on' },
      { organization_id: 'acme', hash: 'new' },
      { organization_id: 'other', hash: 'old' },
    ]);
    const { rows: events } = await pool.query('select count(*)::int as n from habeas.outbox_events');
    expect(events).toEqual([{ n: 89 }]);
    await next.stop();
  });

  it('forgets whom a request was about when its time has come', async () => {
    const world = await startWorld({ policy: 'forget_after: 0s' });
    const { id } = await receive(world, 'access');
    await inState(world, id, 'completed');
    await until(async () => {
      const { rows } = await world.database.pool.query(
        'select (select count(*) from habeas.request_keys)::int + (select count(*) from habeas.request_identities)::int + (select count(*) from habeas.request_blobs)::int as n',
      );
      return rows[0]?.n === 0;
    }, 'everything to be forgotten');
    expect(await world.requests.get(caller, id)).toMatchObject({ state: 'completed', package: null });
  });
});
